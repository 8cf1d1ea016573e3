// Declares a command's flags by its kind; those of commands that work on images come from the command's row.
#include "command_flags.h"

#include <CLI/CLI.hpp>

#include "shared_flags.h"

namespace imgmill {
namespace {

/// Help without CLI11's note of what a negated flag sets: "--no-recursive{false}".
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_option_name(const CLI::Option* option, bool positional) const override {
    std::string name = CLI::Formatter::make_option_name(option, positional);
    const size_t note = name.find("{false}");
    return note == std::string::npos ? name : name.erase(note, 7);
  }
};

/// They are understood all the same, so that one set of defaults suits all commands.
void HideImageFlags(CLI::App& app) {
  for (const char* flag : {"--files-from", "--null", "--recursive", "--include", "--exclude", "--max-pixels",
                           "--allow-truncated", "--device", "--device-memory", "--kernels", "--batch",
                           "--batch-sizing", "--jobs", "--watch-memory"})
    app.get_option(flag)->group("");
  app.get_option("paths")->group("");
}

}  // namespace

CommandFlags::CommandFlags(const CommandRow& row)
    : app(std::make_unique<CLI::App>(std::string(row.help), "imgmill " + std::string(row.name))) {
  app->formatter(std::make_shared<HelpFormatter>());
  app->get_formatter()->column_width(34);
  switch (row.kind) {
    case CommandKind::kImages:
      command = row.add(*app);
      AddSharedFlags(*app, shared, config, /*listing=*/true);
      if (!row.reads_images) HideImageFlags(*app);
      break;
    case CommandKind::kPipeline:
      app->footer("Example:\n  imgmill run configs/quickstart.yaml");
      app->add_option("pipeline", file, "The pipeline file")->type_name("FILE.yaml")->required();
      app->add_flag("--prune", prune, "Remove files of earlier runs that this one neither made nor needs");
      AddSharedFlags(*app, shared, config, /*listing=*/false);
      app->remove_option(app->get_option("--config"));
      break;
    case CommandKind::kPlan:
      app->footer(
          "Example:\n"
          "  imgmill plan upscale photos -o large --model realesr-animevideov3-x4.safetensors --memory 1GiB");
      app->add_option("command", planned, "The command and its flags, as you would give them without plan")
          ->type_name("COMMAND ...")
          ->required();
      break;
    case CommandKind::kTool:
      tool = row.add_tool(*app);
      break;
  }
}

CommandFlags::~CommandFlags() = default;

}  // namespace imgmill
