// Help, version, "did you mean", and the way from a command's row to its run.
#include "command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "command_table.h"
#include "flag_errors.h"
#include "imgmill/base/path_text.h"
#include "imgmill/base/spelling.h"
#include "pipeline.h"
#include "session.h"
#include "shared_flags.h"
#include "yaml_options.h"

namespace imgmill {
namespace {

constexpr char kDocs[] =
    "Exit codes: 0 all done, 1 some images failed, 2 wrong usage, 3 cannot be done,\n"
    "4 findings with --check, 75 interrupted or locked: run again to resume.\n";

void PrintHelp() {
  std::printf("imgmill " IMGMILL_VERSION
              ": image datasets in batches, within a memory budget, every image accounted for.\n\n"
              "Usage: imgmill COMMAND [flags] PATH...\n\nCommands:\n");
  for (const CommandRow& row : CommandTable()) {
    std::printf("  %-10s %s\n", std::string(row.name).c_str(), std::string(row.help).c_str());
  }
  std::printf(
      "\nimgmill COMMAND --help shows a command's flags and an example.\n\n"
      "Examples:\n"
      "  imgmill dedup photos\n"
      "  imgmill upscale photos -o large --method lanczos3 --scale 2 --memory 512MiB\n"
      "  imgmill run pipeline.yaml\n\n%s",
      kDocs);
}

int Complain(const std::string& text) {
  std::fprintf(stderr, "imgmill: error: %s\n", text.c_str());
  return static_cast<int>(ExitCode::kUsage);
}

/// Help without CLI11's note of what a negated flag sets: "--no-recursive{false}".
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_option_name(const CLI::Option* option, bool positional) const override {
    std::string name = CLI::Formatter::make_option_name(option, positional);
    const size_t note = name.find("{false}");
    return note == std::string::npos ? name : name.erase(note, 7);
  }
};

/// What CLI11 found wrong, in our words where it only names the symptom.
std::string Explain(CLI::App& app, const CLI::ParseError& problem) {
  if (dynamic_cast<const CLI::RequiredError*>(&problem) != nullptr)
    return std::string(problem.what()) + " (" + app.get_name() + " --help shows an example)";
  if (dynamic_cast<const CLI::ExtrasError*>(&problem) == nullptr) return InPlainWords(problem);
  for (const std::string& word : app.remaining()) {
    if (word.size() < 2 || word[0] != '-') continue;
    const std::string flag = word.substr(0, word.find('='));
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
    std::string text = "unknown option \"" + PrintablePath(flag) + "\"";
    if (const auto guess = DidYouMean(flag, known)) text += "; did you mean \"" + *guess + "\"?";
    return text + " (imgmill " + app.get_name().substr(8) + " --help lists all)";
  }
  return problem.what();
}

int RunImages(const CommandRow& row, CLI::App& app, std::vector<std::string> arguments, std::string line) {
  SharedOptions shared;
  std::string config;
  const std::unique_ptr<Command> command = row.add(app);
  AddSharedFlags(app, shared, config, /*listing=*/true);
  app.parse(std::move(arguments));
  if (!config.empty()) {
    Result<YAML::Node> yaml = LoadYaml(config);
    if (!yaml) return Complain(yaml.error().message);
    if (Status applied = ApplyYaml(*yaml, config, app, {}); !applied)
      return Complain(applied.error().message);
  }
  if (const auto wrong = shared.Check()) return Complain(*wrong);
  if (const auto wrong = command->Check()) return Complain(*wrong);
  if (shared.list.paths.empty() && shared.list.files_from.empty()) {
    return Complain("no images given: name folders or files, or use --files-from");
  }
  SessionPlan plan{std::string(row.name), std::move(line), {}, {}};
  if (!command->output_folder().empty()) plan.output_folders = {command->output_folder()};
  if (!command->folder_to_leave_out().empty()) plan.leave_out = {command->folder_to_leave_out()};
  return static_cast<int>(RunSession(plan, shared, [&](std::unique_ptr<ItemSource> source, Session& session) {
    return command->Run(*source, session.services());
  }));
}

int RunPipelineFile(CLI::App& app, std::vector<std::string> arguments, std::string line) {
  SharedOptions shared;
  std::string config;
  std::string file;
  app.footer("Example:\n  imgmill run configs/quickstart.yaml");
  app.add_option("pipeline", file, "The pipeline")->type_name("FILE.yaml")->required();
  AddSharedFlags(app, shared, config, /*listing=*/false);
  app.remove_option(app.get_option("--config"));
  app.parse(std::move(arguments));
  Result<CommandPipeline> pipeline = ReadPipeline(file, app, shared);
  if (!pipeline) return Complain(pipeline.error().message);
  if (const auto wrong = shared.Check()) return Complain(*wrong);
  return static_cast<int>(RunPipeline(*std::move(pipeline), shared, std::move(line)));
}

int RunTool(const CommandRow& row, CLI::App& app, std::vector<std::string> arguments) {
  const std::unique_ptr<Tool> tool = row.add_tool(app);
  app.parse(std::move(arguments));
  return static_cast<int>(tool->Run());
}

int Dispatch(const CommandRow& row, int argc, char** argv) {
  CLI::App app{std::string(row.help), "imgmill " + std::string(row.name)};
  app.formatter(std::make_shared<HelpFormatter>());
  app.get_formatter()->column_width(34);
  std::vector<std::string> arguments;
  for (int i = argc - 1; i >= 2; --i) arguments.emplace_back(argv[i]);  // CLI11 wants them last first
  std::string line = "imgmill";
  for (int i = 1; i < argc; ++i) line += " " + PrintablePath(argv[i]);
  try {
    switch (row.kind) {
      case CommandKind::kImages:
        return RunImages(row, app, std::move(arguments), std::move(line));
      case CommandKind::kPipeline:
        return RunPipelineFile(app, std::move(arguments), std::move(line));
      case CommandKind::kTool:
        return RunTool(row, app, std::move(arguments));
    }
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& problem) {
    return Complain(Explain(app, problem));
  }
  return static_cast<int>(ExitCode::kUsage);
}

}  // namespace

int RunCommandLine(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "help" && argc == 3 && FindCommand(argv[2]) != nullptr) {
    std::string name = argv[2];
    std::string flag = "--help";
    char* help[] = {argv[0], name.data(), flag.data()};
    return RunCommandLine(3, help);
  }
  if (first == "--help" || first == "-h" || first == "help") {
    PrintHelp();
    return 0;
  }
  if (first == "--version" || first == "-V") {
    std::puts("imgmill " IMGMILL_VERSION);
    return 0;
  }
  if (first.empty()) {
    PrintHelp();
    return static_cast<int>(ExitCode::kUsage);
  }
  const CommandRow* row = FindCommand(first);
  if (row == nullptr) {
    std::vector<std::string> names;
    for (const CommandRow& known : CommandTable()) names.emplace_back(known.name);
    std::string text = "unknown command \"" + PrintablePath(first) + "\"";
    if (const auto guess = DidYouMean(first, names)) text += "; did you mean \"" + *guess + "\"?";
    return Complain(text + (first[0] == '-' ? " (imgmill --help lists the commands)" : ""));
  }
  return Dispatch(*row, argc, argv);
}

}  // namespace imgmill
