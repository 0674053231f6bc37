#include "program/kernel_parser.h"

#include <unordered_map>
#include <utility>

#include "instructions/families.h"
#include "machine/specials.h"
#include "program/form.h"
#include "program/operands.h"

namespace virtual_gpu {
namespace {

// Opcodes whose first operand is read, not written.
bool has_no_result(const Form& form) {
  for (const char* const opcode : {"st", "red", "bar", "barrier", "brx", "nanosleep", "prefetch",
                                   "membar", "fence", "trap", "exit", "ret", "discard"}) {
    if (form.is(opcode)) return true;
  }
  return false;
}

class KernelParser {
 public:
  KernelParser(Reader& reader, const Module& module) : reader_(reader), module_(module) {}

  Kernel parse();

 private:
  void parameters();
  void directives();
  void body();
  void registers();
  void shared_variable();
  void local_variable();
  bool label();
  void pragma();
  void instruction();
  void operands(Form& form, Instruction& instruction);
  void address(Instruction& instruction);
  void several(std::vector<int>& to);
  int operand();
  int negated_predicate();
  int find_register(const std::string& name) const;
  int register_that_reads(const std::string& special);
  int symbol(const std::string& name);
  int constant(uint64_t bits);
  int add_constant(uint64_t bits);
  int target(const std::string& label) const;
  void finish();

  Reader& reader_;
  const Module& module_;
  Kernel kernel_;
  std::vector<std::unordered_map<std::string, int>> scopes_;
  std::unordered_map<std::string, int64_t> addresses_;  // of parameters and variables
  std::unordered_map<uint64_t, int> constants_;
  std::vector<std::pair<int, int64_t>> dynamic_;  // constants that are offsets in dynamic memory
  std::unordered_map<std::string, int> labels_;
  std::unordered_map<std::string, std::vector<std::string>> tables_;
  std::vector<std::pair<size_t, std::string>> jumps_;
  uint32_t used_bytes_ = ~0u;  // of the next load
};

Kernel KernelParser::parse() {
  kernel_.name = reader_.next();
  if (reader_.accept("(")) parameters();
  directives();
  const size_t before = reader_.position();
  try {
    body();
  } catch (const std::runtime_error& error) {
    kernel_.problem = error.what();
    kernel_.code.clear();
    reader_.go_back(before);
    reader_.skip_braces();
  }
  return std::move(kernel_);
}

void KernelParser::parameters() {
  int64_t offset = 0;
  while (!reader_.accept(")")) {
    if (reader_.accept(",")) continue;
    reader_.expect(".param");
    const Declaration parameter = reader_.declaration();
    offset = round_up(offset, parameter.alignment);
    kernel_.parameters.push_back({static_cast<int>(offset), static_cast<int>(parameter.bytes)});
    addresses_[parameter.name] = offset;
    offset += parameter.bytes;
  }
  kernel_.parameter_bytes = static_cast<int>(offset);
}

void KernelParser::directives() {
  while (reader_.peek().text != "{") {
    if (reader_.accept(".maxntid") || reader_.accept(".reqntid")) {
      kernel_.most_threads = static_cast<int>(reader_.integer());
      while (reader_.accept(",")) kernel_.most_threads *= static_cast<int>(reader_.integer());
    } else if (reader_.accept(".minnctapersm") || reader_.accept(".maxnreg")) {
      reader_.integer();
    } else {
      reader_.fail("an unknown directive of a kernel");
    }
  }
}

void KernelParser::body() {
  reader_.expect("{");
  scopes_.emplace_back();
  while (!scopes_.empty()) {
    if (reader_.is_at_end()) reader_.fail("a kernel without its '}'");
    if (reader_.accept("{")) {
      scopes_.emplace_back();
    } else if (reader_.accept("}")) {
      scopes_.pop_back();
    } else if (reader_.accept(".reg")) {
      registers();
    } else if (reader_.accept(".shared")) {
      shared_variable();
    } else if (reader_.accept(".local")) {
      local_variable();
    } else if (reader_.accept(".loc") || reader_.accept(".file")) {
      reader_.skip_line();
    } else if (reader_.accept(".pragma")) {
      pragma();
    } else if (!reader_.accept(";") && !label()) {
      instruction();
    }
  }
  finish();
}

void KernelParser::registers() {
  if (type_of(reader_.next().substr(1)) == Type::kNone) reader_.fail("the type of a register");
  do {
    const std::string name = reader_.next();
    if (!reader_.accept("<")) {
      scopes_.back()[name] = kernel_.registers++;
      continue;
    }
    const int64_t count = reader_.integer();
    reader_.expect(">");
    for (int64_t i = 0; i < count; ++i) {
      scopes_.back()[name + std::to_string(i)] = kernel_.registers++;
    }
  } while (reader_.accept(","));
  reader_.expect(";");
}

void KernelParser::shared_variable() {
  const Declaration variable = reader_.declaration();
  const int64_t offset = round_up(kernel_.shared_bytes, variable.alignment);
  addresses_[variable.name] = kSharedBegin + offset;
  kernel_.shared_bytes = static_cast<int>(offset + variable.bytes);
  reader_.expect(";");
}

void KernelParser::local_variable() {
  const Declaration variable = reader_.declaration();
  const int64_t offset = round_up(kernel_.local_bytes, variable.alignment);
  addresses_[variable.name] = offset;
  kernel_.local_bytes = static_cast<int>(offset + variable.bytes);
  reader_.expect(";");
}

// `here:`, or a table of places to go to, `table: .branchtargets a, b;`.
bool KernelParser::label() {
  if (reader_.peek().kind != Token::kWord || reader_.peek(1).text != ":") return false;
  const std::string name = reader_.next();
  reader_.expect(":");
  if (reader_.accept(".branchtargets")) {
    do {
      tables_[name].push_back(reader_.next());
    } while (reader_.accept(","));
    reader_.expect(";");
  } else {
    labels_[name] = static_cast<int>(kernel_.code.size());
  }
  return true;
}

// The compiler loads more than it needs where that makes one load of two, and then says so.
void KernelParser::pragma() {
  const std::string mask = "\"used_bytes_mask ";
  do {
    const std::string text = reader_.next();
    if (text.rfind(mask, 0) == 0) {
      used_bytes_ = static_cast<uint32_t>(std::stoul(text.substr(mask.size()), nullptr, 0));
    }
  } while (reader_.accept(","));
  reader_.expect(";");
}

void KernelParser::instruction() {
  Instruction found;
  found.line = reader_.peek().line;
  found.used_bytes = std::exchange(used_bytes_, ~0u);
  if (reader_.accept("@")) {
    found.guard_is_negated = reader_.accept("!");
    found.guard = find_register(reader_.next());
    if (found.guard == Instruction::kNone) reader_.fail("an unknown register before this");
  }
  Form form(reader_.next());
  operands(form, found);
  if (!has_its_operands(form, found)) {
    reader_.fail("the instruction " + form.text() + " with so many operands is not known");
  }
  for (const auto family :
       {of_integers, of_floats, of_halves, of_bits, of_comparisons, of_conversions, of_moves,
        of_memory, of_atomics, of_exchanges, of_control}) {
    found.execute = family(form, found);
    if (found.execute != nullptr) break;
  }
  if (found.execute == nullptr) reader_.fail("the instruction " + form.text() + " is not known");
  if (!form.left().empty()) {
    reader_.fail("." + form.left() + " of the instruction " + form.text() + " is not known");
  }
  reader_.expect(";");
  kernel_.code.push_back(std::move(found));
}

void KernelParser::operands(Form& form, Instruction& instruction) {
  if (form.is("bra")) {
    jumps_.emplace_back(kernel_.code.size(), reader_.next());
    return;
  }
  bool is_result = !has_no_result(form);
  while (reader_.peek().text != ";") {
    if (form.is("brx") && !instruction.from.empty()) {
      const std::string table = reader_.next();
      for (const std::string& one : tables_[table]) jumps_.emplace_back(kernel_.code.size(), one);
    } else if (reader_.peek().text == "[") {
      address(instruction);
    } else {
      several(is_result ? instruction.to : instruction.from);
    }
    if (is_result && reader_.accept("|")) instruction.second_predicate = operand();
    is_result = false;
    if (!reader_.accept(",")) return;
  }
}

void KernelParser::several(std::vector<int>& to) {
  if (!reader_.accept("{")) {
    to.push_back(operand());
    return;
  }
  do {
    to.push_back(operand());
  } while (reader_.accept(","));
  reader_.expect("}");
}

void KernelParser::address(Instruction& instruction) {
  reader_.expect("[");
  if (instruction.base != Instruction::kNone) reader_.fail("a second address");
  instruction.base = operand();
  while (reader_.peek().text == "+" || reader_.peek().text == "-") {
    if (!reader_.accept("+") && reader_.peek().text != "-") reader_.fail("an offset");
    instruction.offset += reader_.integer();
  }
  reader_.expect("]");
}

int KernelParser::operand() {
  if (reader_.peek().text == "!") return negated_predicate();
  if (reader_.peek().kind == Token::kNumber || reader_.peek().text == "-") {
    const bool negative = reader_.accept("-");
    const uint64_t bits = bits_of(reader_.next());
    return constant(negative ? 0 - bits : bits);
  }
  const std::string name = reader_.next();
  if (name == "_") return kernel_.registers++;
  if (name == "WARP_SZ") return constant(32);
  for (const int found : {find_register(name), register_that_reads(name), symbol(name)}) {
    if (found != Instruction::kNone) return found;
  }
  reader_.fail("the operand " + name + " is not known");
}

// Into a register of its own, before the instruction that reads it.
int KernelParser::negated_predicate() {
  reader_.expect("!");
  Instruction negation;
  negation.line = reader_.peek().line;
  negation.from = {operand()};
  negation.to = {kernel_.registers++};
  Form form("not.pred");
  negation.execute = of_bits(form, negation);
  kernel_.code.push_back(negation);
  return negation.to[0];
}

int KernelParser::find_register(const std::string& name) const {
  for (size_t i = scopes_.size(); i-- > 0;) {
    const auto found = scopes_[i].find(name);
    if (found != scopes_[i].end()) return found->second;
  }
  return Instruction::kNone;
}

int KernelParser::register_that_reads(const std::string& special) {
  if (!is_special(special) || find_register(special) != Instruction::kNone) {
    return Instruction::kNone;
  }
  kernel_.reads.emplace_back(kernel_.registers, special);
  return scopes_[0][special] = kernel_.registers++;
}

// The address of a parameter or a variable.
int KernelParser::symbol(const std::string& name) {
  int64_t offset = 0;
  const auto with_offset = [&](int64_t address) {
    while (reader_.accept("+")) offset += reader_.integer();
    return static_cast<uint64_t>(address + offset);
  };
  if (const auto own = addresses_.find(name); own != addresses_.end()) {
    return constant(with_offset(own->second));
  }
  if (const auto global = module_.variables.find(name); global != module_.variables.end()) {
    return constant(with_offset(reinterpret_cast<int64_t>(global->second.data)));
  }
  const auto shared = module_.shared_variables.find(name);
  if (shared == module_.shared_variables.end()) return Instruction::kNone;
  if (shared->second.is_dynamic) {
    const auto after = static_cast<int64_t>(with_offset(0));
    dynamic_.emplace_back(add_constant(0), after);
    return dynamic_.back().first;
  }
  const int64_t at = round_up(kernel_.shared_bytes, shared->second.alignment);
  addresses_[name] = kSharedBegin + at;
  kernel_.shared_bytes = static_cast<int>(at + shared->second.bytes);
  return constant(with_offset(addresses_[name]));
}

int KernelParser::constant(uint64_t bits) {
  const auto [found, is_new] = constants_.try_emplace(bits, 0);
  if (is_new) found->second = add_constant(bits);
  return found->second;
}

int KernelParser::add_constant(uint64_t bits) {
  kernel_.constants.insert(kernel_.constants.end(), 32, bits);
  return -static_cast<int>(kernel_.constants.size() / 32);
}

int KernelParser::target(const std::string& label) const {
  const auto found = labels_.find(label);
  if (found == labels_.end())
    throw std::runtime_error("a branch to " + label + ", which is nowhere");
  return found->second;
}

void KernelParser::finish() {
  // Who comes to the end of the text is done.
  Instruction end;
  end.line = reader_.line_read();
  Form form("ret");
  end.execute = of_control(form, end);
  kernel_.code.push_back(end);
  for (const auto& [from, label] : jumps_) kernel_.code[from].targets.push_back(target(label));
  // Dynamic shared memory begins where the kernel's own ends.
  const int64_t own = round_up(kernel_.shared_bytes, 16);
  for (const auto& [index, offset] : dynamic_) {
    const auto first = static_cast<size_t>(-index - 1) * 32;
    std::fill_n(kernel_.constants.begin() + static_cast<int64_t>(first), 32,
                static_cast<uint64_t>(kSharedBegin + own + offset));
  }
}

}  // namespace

Kernel parse_kernel(Reader& reader, const Module& module) {
  return KernelParser(reader, module).parse();
}

}  // namespace virtual_gpu
