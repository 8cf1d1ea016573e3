// Declares a command's flags by its kind; those of commands that work on images come from the command's row.
#include "command_flags.h"

#include <CLI/CLI.hpp>

#include "imgmill/commands/flags.h"
#include "imgmill/commands/keeps_images.h"
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
void Hide(CLI::App& app, std::initializer_list<const char*> flags) {
  for (const char* flag : flags) app.get_option(flag)->group("");
}

void HideWhatDoesNothing(CLI::App& app, const CommandRow& row) {
  if (!row.reads_images)
    Hide(app, {"paths", "--files-from", "--null", "--recursive", "--include", "--exclude", "--max-pixels",
               "--allow-truncated", "--batch-sizing", "--jobs", "--watch-memory"});
  if (!row.reads_images || !row.runs_models)
    Hide(app, {"--device", "--device-memory", "--kernels", "--batch"});
}

}  // namespace

CommandFlags::CommandFlags(const CommandRow& row)
    : app(std::make_unique<CLI::App>(std::string(row.help), "imgmill " + std::string(row.name))) {
  app->formatter(std::make_shared<HelpFormatter>());
  app->get_formatter()->column_width(34);
  Flags flags(*app);
  switch (row.kind) {
    case CommandKind::kImages:
      command = row.add(flags);
      if (command->works_image_by_image()) {
        pack.AddFlags(flags, "what was written", app->get_option_no_throw("--prune") != nullptr);
      } else if (dynamic_cast<const KeepsImages*>(command.get()) != nullptr) {
        pack.AddFlags(flags, "what is kept", /*prunes=*/false);
      }
      AddSharedFlags(flags, shared, config, /*listing=*/true);
      HideWhatDoesNothing(*app, row);
      break;
    case CommandKind::kPipeline:
      flags.Footer("Example:\n  imgmill run configs/quickstart.yaml");
      flags.Add("pipeline", file, "The pipeline file").Type("FILE.yaml").Required();
      flags.AddSwitch("--prune", prune, "Remove files of earlier runs that this one neither made nor needs");
      AddSharedFlags(flags, shared, config, /*listing=*/false);
      app->remove_option(app->get_option("--config"));
      break;
    case CommandKind::kPlan:
      flags.Footer(
          "Example:\n"
          "  imgmill plan upscale photos -o large --model realesr-animevideov3-x4.safetensors --memory 1GiB");
      flags.Add("command", planned, "The command and its flags, as you would give them without plan")
          .Type("COMMAND ...")
          .Required();
      break;
    case CommandKind::kTool:
      tool = row.add_tool(flags);
      break;
  }
}

CommandFlags::~CommandFlags() = default;

}  // namespace imgmill
