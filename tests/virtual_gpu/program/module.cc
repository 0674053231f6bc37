#include "program/module.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "machine/device_memory.h"
#include "program/kernel_parser.h"
#include "program/reader.h"

namespace virtual_gpu {
namespace {

// `= {1, 2, other_variable}`, element by element.
void read_values(Reader& reader, const Module& module, const Declaration& variable,
                 unsigned char* data) {
  const auto width = static_cast<int64_t>(bytes_of(variable.type));
  int64_t offset = 0;
  int depth = 0;
  do {
    if (reader.accept("{")) {
      ++depth;
    } else if (reader.accept("}")) {
      --depth;
    } else if (!reader.accept(",")) {
      uint64_t value = 0;
      const auto other = module.variables.find(std::string(reader.peek().text));
      if (other == module.variables.end()) {
        value = static_cast<uint64_t>(reader.integer());
      } else {
        value = reinterpret_cast<uint64_t>(other->second.data);
        reader.next();
      }
      if (offset + width > variable.bytes)
        reader.fail("more values than the variable has room for");
      std::memcpy(data + offset, &value, static_cast<size_t>(width));
      offset += width;
    }
  } while (depth > 0);
}

void read_variable(Reader& reader, Module& module) {
  const Declaration variable = reader.declaration();
  const auto bytes = static_cast<size_t>(std::max<int64_t>(1, variable.bytes));
  auto* const data = static_cast<unsigned char*>(
      std::aligned_alloc(256, static_cast<size_t>(round_up(static_cast<int64_t>(bytes), 256))));
  if (data == nullptr) throw std::runtime_error("no memory for the variable " + variable.name);
  std::memset(data, 0, bytes);
  add_memory(data, bytes, Written::kAll);
  module.variables[variable.name] = {data, bytes};
  if (reader.accept("=")) read_values(reader, module, variable, data);
  reader.expect(";");
}

void read_shared_variable(Reader& reader, Module& module) {
  const Declaration variable = reader.declaration();
  module.shared_variables[variable.name] = {static_cast<int>(variable.bytes), variable.alignment,
                                            !variable.has_size};
  reader.expect(";");
}

void read_kernel(Reader& reader, Module& module) {
  const int first = reader.peek().line;
  auto kernel = std::make_unique<Kernel>(parse_kernel(reader, module));
  module.kernel_lines[kernel->name] = {first, reader.line_read()};
  module.kernels[kernel->name] = std::move(kernel);
}

void read_function(Reader& reader) {
  while (!reader.is_at_end() && reader.peek().text != "{" && reader.peek().text != ";")
    reader.next();
  if (!reader.accept(";")) reader.skip_braces();
}

}  // namespace

Module::~Module() {
  for (auto& [name, variable] : variables) {
    remove_memory(variable.data);
    std::free(variable.data);
  }
}

std::unique_ptr<Module> parse(const std::string& text) {
  auto module = std::make_unique<Module>();
  module->text = text;
  Reader reader(tokens_of(module->text));
  while (!reader.is_at_end()) {
    if (reader.accept(".version")) {
      module->version = reader.next();
      if (reader.peek().text.substr(0, 1) == "." && std::isdigit(reader.peek().text[1])) {
        module->version += reader.next();
      }
    } else if (reader.accept(".target")) {
      module->target = reader.next();
      while (reader.accept(",")) reader.next();
    } else if (reader.accept(".address_size")) {
      if (reader.integer() != 64) reader.fail("addresses must be of 64 bits");
    } else if (reader.accept(".visible") || reader.accept(".weak") || reader.accept(".extern") ||
               reader.accept(".common") || reader.accept(";")) {
      // Who else may use a name: there is one module.
    } else if (reader.accept(".global") || reader.accept(".const")) {
      read_variable(reader, *module);
    } else if (reader.accept(".shared")) {
      read_shared_variable(reader, *module);
    } else if (reader.accept(".entry")) {
      read_kernel(reader, *module);
    } else if (reader.accept(".func")) {
      read_function(reader);  // a kernel that calls it is refused for its `call`
    } else if (reader.accept(".file")) {
      reader.skip_line();
    } else if (reader.accept(".section")) {
      while (reader.peek().text != "{" && !reader.is_at_end()) reader.next();
      reader.skip_braces();
    } else if (reader.accept(".pragma") || reader.accept(".alias")) {
      reader.skip_statement();
    } else {
      reader.fail("what is this");
    }
  }
  if (module->version.empty()) throw std::runtime_error("no PTX: there is no .version");
  return module;
}

void replace_line(const Module& module, Kernel& kernel, int line, const std::string& text) {
  const Lines lines = module.kernel_lines.at(kernel.name);
  std::string changed;
  size_t begin = 0;
  for (int number = 1; begin < module.text.size(); ++number) {
    const size_t end = std::min(module.text.find('\n', begin), module.text.size());
    if (number >= lines.first && number <= lines.last) {
      changed += number == line ? text : module.text.substr(begin, end - begin);
      changed += '\n';
    }
    begin = end + 1;
  }
  Reader reader(tokens_of(changed, lines.first));
  try {
    while (!reader.accept(".entry")) {
      if (reader.is_at_end()) reader.fail("a kernel without its .entry");
      reader.next();
    }
    kernel = parse_kernel(reader, module);
  } catch (const std::runtime_error& error) {
    kernel.problem = error.what();
  }
}

}  // namespace virtual_gpu
