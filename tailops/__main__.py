"""`python -m tailops` says what this installation is made of."""

from tailops import build_info


def main() -> None:
    """Prints the build information, a line each."""
    for key, value in build_info().items():
        print(f"{key:>16}  {', '.join(value) if isinstance(value, list) else value}")


if __name__ == "__main__":
    main()
