// Fuzzes pipeline files: every step with the options of its command.
#include "cli/pipeline/pipeline.h"

#include <CLI/CLI.hpp>

#include "cli/shared_flags.h"
#include "fuzz/input_file.h"
#include "imgmill/commands/flags.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::string path = fuzz::InputFilePath(data, bytes);
  CLI::App app;
  Flags flags(app);
  SharedOptions options;
  std::string config;
  AddSharedFlags(flags, options, config, false);
  (void)ReadPipeline(path, app, options);
  return 0;
}
