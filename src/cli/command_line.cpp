// Help, version, "did you mean", and the way from a command's row to its run.
#include "command_line.h"

#include <CLI/CLI.hpp>
#include <cctype>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/pipeline/pipeline.h"
#include "cli/session/session.h"
#include "command_flags.h"
#include "command_table.h"
#include "defaults_file.h"
#include "flag_errors.h"
#include "imgmill/base/path_text.h"
#include "imgmill/base/spelling.h"
#include "imgmill/commands/keeps_images.h"
#include "program_help.h"
#include "standard_output.h"
#include "yaml_options.h"

namespace imgmill {
namespace {

/// Words before the arguments of a command: alone, behind `plan`, behind `memory recommend`.
constexpr int kAlone = 2;
constexpr int kPlanned = 3;
constexpr int kAdvised = 4;

constexpr char kNoInput[] = "no input: name files or folders, or a list with --files-from";

int Complain(const std::string& text) {
  std::fprintf(stderr, "imgmill: error: %s\n", text.c_str());
  return static_cast<int>(ExitCode::kUsage);
}

/// What CLI11 found wrong, in our words where it only names the symptom.
std::string Explain(CLI::App& app, const CLI::ParseError& problem) {
  if (dynamic_cast<const CLI::RequiredError*>(&problem) != nullptr) {
    for (const CLI::Option* option : app.get_options()) {
      if (!option->get_required() || option->count() > 0) continue;
      std::string what = option->get_description();
      what[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(what[0])));
      return app.get_name() + " needs " + option->get_type_name() + ": " + what + " (" + app.get_name() +
             " --help shows an example)";
    }
  }
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

/// With --pack.
int RunPacked(const CommandRow& row, CommandFlags& flags, std::string line, bool advise) {
  const CLI::Option* prune = flags.app->get_option_no_throw("--prune");
  Result<CommandPipeline> pipeline =
      PipelineWithPack(row, std::move(flags.command), flags.pack, prune->count() > 0 && prune->as<bool>());
  if (!pipeline) return Complain(pipeline.error().message);
  return static_cast<int>(RunPipeline(*std::move(pipeline), flags.shared, std::move(line), advise));
}

int RunImages(const CommandRow& row, CommandFlags& flags, std::string line, bool advise) {
  CLI::App& app = *flags.app;
  SharedOptions& shared = flags.shared;
  const std::string& config = flags.config;
  const std::unique_ptr<Command>& command = flags.command;
  if (!config.empty()) {
    Result<YAML::Node> yaml = LoadYaml(config);
    if (!yaml) return Complain(yaml.error().message);
    if (Status applied = ApplyYaml(*yaml, config, app, {}); !applied)
      return Complain(applied.error().message);
  }
  if (Status applied = ApplyDefaultsFile(*command, app); !applied) return Complain(applied.error().message);
  auto* keeps = dynamic_cast<KeepsImages*>(command.get());
  if (keeps != nullptr && !flags.pack.output.empty()) keeps->ExpectPack();
  if (command->needs_images() && shared.list.NamesNothing()) return Complain(kNoInput);
  if (const auto wrong = command->TakePaths(shared.list)) return Complain(*wrong);
  if (const auto wrong = shared.Check()) return Complain(*wrong);
  if (const auto wrong = command->Check()) return Complain(*wrong);
  if (const auto wrong = command->CheckAlone(shared)) return Complain(*wrong);
  if (const auto wrong = flags.pack.Check()) return Complain(*wrong);
  if (!flags.pack.output.empty()) return RunPacked(row, flags, std::move(line), advise);
  SessionPlan plan{std::string(row.name),   std::move(line),       {}, {}, command->catalog_of(), advise,
                   command->reads_videos(), command->least_lease()};
  plan.leaves_set_aside = row.leaves_set_aside;
  if (!command->output_folder().empty()) plan.output_folders = {command->output_folder()};
  if (!command->folder_to_leave_out().empty()) plan.leave_out = {command->folder_to_leave_out()};
  return static_cast<int>(RunSession(plan, shared, [&](std::unique_ptr<ItemSource> source, Session& session) {
    return command->Run(*source, session.services());
  }));
}

int RunPipelineFile(CommandFlags& flags, std::string line, bool advise) {
  Result<CommandPipeline> pipeline = ReadPipeline(flags.file, *flags.app, flags.shared);
  if (!pipeline) return Complain(pipeline.error().message);
  if (flags.shared.list.NamesNothing()) return Complain(kNoInput);
  if (const auto wrong = flags.shared.Check()) return Complain(*wrong);
  pipeline->prune = flags.prune;
  return static_cast<int>(RunPipeline(*std::move(pipeline), flags.shared, std::move(line), advise));
}

/// `skip`: words before the command's own arguments.
int Dispatch(const CommandRow& row, int skip, int argc, char** argv) {
  CommandFlags flags(row);
  std::vector<std::string> arguments;
  for (int i = argc - 1; i >= skip; --i) arguments.emplace_back(argv[i]);  // CLI11 wants them last first
  std::string line = "imgmill";
  for (int i = 1; i < argc; ++i) line += " " + PrintablePath(argv[i]);
  try {
    try {
      flags.app->parse(std::move(arguments));
    } catch (const std::logic_error&) {  // how CLI11 refuses the value of a flag
      return Complain(
          "a flag that takes no value was given one, with = (leave the value out; true and false are "
          "understood)");
    }
    if (skip >= kPlanned) flags.shared.mode = RunMode::kPlan;
    switch (row.kind) {
      case CommandKind::kImages:
        return RunImages(row, flags, std::move(line), skip == kAdvised);
      case CommandKind::kPipeline:
        return RunPipelineFile(flags, std::move(line), skip == kAdvised);
      case CommandKind::kPlan:
        return Complain(PrintablePath(flags.planned) + " has no plan: name a command that works on images");
      case CommandKind::kTool:
        return static_cast<int>(flags.tool->Run());
    }
  } catch (const CLI::CallForHelp&) {
    return static_cast<int>(PrintOrComplain(flags.app->help()));
  } catch (const CLI::ParseError& problem) {
    return Complain(Explain(*flags.app, problem));
  }
  return static_cast<int>(ExitCode::kUsage);
}

bool WorksOnImages(const CommandRow* row) {
  return row != nullptr && (row->kind == CommandKind::kImages || row->kind == CommandKind::kPipeline);
}

/// `on_images`: only a command that works on images fits there.
int ComplainUnknown(const std::string& word, bool on_images) {
  std::vector<std::string> names;
  for (const CommandRow& known : CommandTable()) {
    if (!on_images || WorksOnImages(&known)) names.emplace_back(known.name);
  }
  const std::string text = "unknown command \"" + PrintablePath(word) + "\"";
  if (const auto guess = DidYouMean(word, names))
    return Complain(text + "; did you mean \"" + *guess + "\"?");
  if (!on_images) return Complain(text + " (imgmill --help lists the commands)");
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return Complain(text + " (the commands that work on images are " + list + ")");
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
    return static_cast<int>(PrintOrComplain(ProgramHelp()));
  }
  if (first == "--version" || first == "-V") {
    return static_cast<int>(PrintOrComplain("imgmill " IMGMILL_VERSION "\n"));
  }
  if (first.empty()) {
    return static_cast<int>(PrintOrComplain(ProgramHelp(), ExitCode::kUsage));
  }
  const CommandRow* row = FindCommand(first);
  if (row == nullptr) return ComplainUnknown(first, /*on_images=*/false);
  if (row->kind == CommandKind::kPlan && argc > 2) {
    const CommandRow* planned = FindCommand(argv[2]);
    if (planned == nullptr && argv[2][0] != '-') return ComplainUnknown(argv[2], /*on_images=*/true);
    if (WorksOnImages(planned)) return Dispatch(*planned, kPlanned, argc, argv);
  }
  if (first == "memory" && argc > 3 && std::string(argv[2]) == "recommend" && argv[3][0] != '-') {
    const CommandRow* advised = FindCommand(argv[3]);
    if (advised == nullptr) return ComplainUnknown(argv[3], /*on_images=*/true);
    if (WorksOnImages(advised)) return Dispatch(*advised, kAdvised, argc, argv);
  }
  return Dispatch(*row, kAlone, argc, argv);
}

}  // namespace imgmill
