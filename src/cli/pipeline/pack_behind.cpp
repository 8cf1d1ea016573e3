// Makes the two steps of a command line with --pack.
#include "pack_behind.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>
#include <vector>

#include "base/path_parts.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "cli/command_table.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/keeps_images.h"
#include "pipeline_check.h"

namespace imgmill {
namespace {

/// The flags of the step.
std::vector<std::string> ArgumentsOf(const PackBehind& pack, const Command& command, bool prune) {
  std::vector<std::string> arguments = {"--output=" + pack.output};
  if (!pack.shard_size.empty()) arguments.push_back("--shard-size=" + pack.shard_size);
  if (pack.shard_samples) arguments.push_back("--shard-samples=" + std::to_string(*pack.shard_samples));
  if (prune) arguments.emplace_back("--prune");
  if (const auto* keeps = dynamic_cast<const KeepsImages*>(&command); keeps != nullptr) {
    for (const std::string& pattern : keeps->packed_sidecars()) arguments.push_back("--sidecars=" + pattern);
  }
  for (const std::string& folder : ChecksAhead::Of(command).partner_folders())
    arguments.push_back("--pair=" + folder);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 wants them last first
  return arguments;
}

}  // namespace

void PackBehind::AddFlags(Flags& flags, const std::string& what, bool prunes) {
  flags.Group("Packing");
  flags.Add("--pack", output, "Then pack " + what + " into tar shards in this folder, as imgmill pack does")
      .Type("DIR");
  flags.Add("--shard-size", shard_size, "Size that a shard does not grow beyond [1GiB]").Type("SIZE");
  flags.Add("--shard-samples", shard_samples, "Samples that a shard has at most [any number]").Type("N");
  if (!prunes)
    flags.AddSwitch("--prune", prune,
                    "With --pack: remove files and shards of earlier runs that this one neither made nor "
                    "needs");
  flags.Group();
}

std::optional<std::string> PackBehind::Check() const {
  if (!output.empty()) return std::nullopt;
  if (!shard_size.empty()) return "--shard-size goes with --pack DIR";
  if (shard_samples) return "--shard-samples goes with --pack DIR";
  if (prune) return "--prune goes with --pack DIR";
  return std::nullopt;
}

Result<CommandPipeline> PipelineWithPack(const CommandRow& row, std::unique_ptr<Command> command,
                                         const PackBehind& pack, bool prune) {
  CommandPipeline pipeline;
  const bool writes = !command->output_folder().empty();
  pipeline.output = writes ? command->output_folder() : pack.output;
  pipeline.prune = prune;
  pipeline.in_listing_order = writes;
  const auto is_that_of_pack = [&](const std::string& folder) {
    return !folder.empty() && AbsoluteEntry(pack.output) == AbsoluteEntry(folder);
  };
  if (is_that_of_pack(command->output_folder()))
    return UsageError("--pack " + PrintablePath(pack.output) +
                      " is the folder of the images themselves: name another");
  if (is_that_of_pack(command->folder_to_leave_out()))
    return UsageError("--pack " + PrintablePath(pack.output) +
                      " is the folder that --action puts images into: name another");

  PipelineStep last;
  last.name = "pack";
  last.place = "--pack";
  last.app = std::make_unique<CLI::App>("", last.name);
  Flags flags(*last.app);
  last.command = FindCommand(last.name)->add(flags);
  last.app->parse(ArgumentsOf(pack, *command, prune));
  if (const auto wrong = last.command->Check()) return UsageError(*wrong);

  PipelineStep first;
  first.name = row.name;
  first.leaves_set_aside = row.leaves_set_aside;
  if (writes) first.folder = pipeline.output;
  first.command = std::move(command);
  pipeline.steps.push_back(std::move(first));
  pipeline.steps.push_back(std::move(last));
  KnowStepsBefore(pipeline);
  return pipeline;
}

}  // namespace imgmill
