// Fuzzes options in YAML: numbers, words, lists, sizes and paths, through the parsing of the flags
// themselves.
#include "cli/yaml_options.h"

#include <CLI/CLI.hpp>

#include "cli/shared_flags.h"
#include "fuzz/input_file.h"
#include "imgmill/commands/flags.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::string path = fuzz::InputFilePath(data, bytes);
  const Result<YAML::Node> yaml = LoadYaml(path);
  if (!yaml) return 0;
  CLI::App app;
  Flags flags(app);
  SharedOptions options;
  std::string config;
  AddSharedFlags(flags, options, config, true);
  (void)ApplyYaml(*yaml, path, app, {"steps"});
  return 0;
}
