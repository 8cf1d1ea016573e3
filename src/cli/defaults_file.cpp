// Checks the keys' group, then leaves the rest to the reader of option files.
#include "defaults_file.h"

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "base/try.h"
#include "base/usage_error.h"
#include "imgmill/commands/embedding_options.h"
#include "yaml_options.h"

namespace imgmill {

Status ApplyDefaultsFile(const Command& command, CLI::App& app) {
  const std::string path = command.defaults_file();
  if (path.empty() || ::access(path.c_str(), F_OK) != 0) return {};
  YAML::Node yaml = TRY(LoadYaml(path));
  if (yaml.IsMap()) {
    for (const auto& entry : yaml) {
      const std::string key = entry.first.as<std::string>("");
      const CLI::Option* option = app.get_option_no_throw("--" + key);
      if (option != nullptr && option->get_group() != kModelInputGroup) {
        return UsageError(AtLine(path, entry.first, "\"" + key + "\" does not belong in a model's file"));
      }
    }
  }
  return ApplyYaml(yaml, path, app, {});
}

}  // namespace imgmill
