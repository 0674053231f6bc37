"""What docs/quality.md says in words."""

INTRODUCTION = """# Does it help?

Every loss with a lower tail has a higher mean. The question is who has the lowest tail at equal
cost in the mean. Made by `make quality` and `python -m bench report` from
[bench/results](../bench/results/quality.json); no number is typed by hand.
"""
FRONTIER = """## The frontiers

p99 is the 99th percentile of the held-out absolute errors (of the cross-entropies, where classes
are predicted), CVaR 99 the mean of the worst 1 % of them. Everything is relative to the plain
mean, MAE or cross-entropy, at the same batch size, seed by seed, ± 95 % over the seeds. A
family's losses that no other of it beats in both mean and tail are joined by lines, from the
plain mean on; the tables interpolate along these. Who tries more settings is luckier: which
settings make the line of a seed, the other seeds decide. In brackets: the nearest loss that was
trained. "The best other" is all families together that anybody has but for L_q, "ours" all that
only tailops has, windows included; *average top-k* with a fraction f is CVaR at p = 1 − f, and
has no curve of its own.
"""
SEGMENTATION = """### Segmentation

Pixels of rare classes, with OHEM, focal, CVaR and average top-k as rivals, are measured in [which
tail do I want?](which_tail.md#does-it-help)
"""
BATCHES = """## Batches and windows

A percentile of 32 errors is a noisy one. All batch sizes against MAE *with the largest batches*,
so that one line may be compared with another; all have seen the same number of samples.
"""
TRAINED = """## What was trained

{tables}

Two hidden layers of 64, ReLU; Keras's Adam, a first rate of 10⁻³·√(batch/128) and cosine decay to
0; no early stopping; features and numeric targets divided by their standard deviation, which is
the unit of δ, and of κ in 1/e; t is the threshold. {seeds} seeds, each another split, another
start and another order, the same for every loss; the seeds of a loss are trained side by side, as
one Keras model compiled by XLA. About half a million samples each, at most 40 passes:

{grid}

{losses} losses, {models} seeds of them, took {hours} hours on one core, all together.
Families, and their settings (error_scale with every percentile); `smoothing_factor` = κ:

{families}

A window is of {window} errors.
"""
