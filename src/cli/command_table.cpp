// One row a command; a new command is a new row.
#include "command_table.h"

#include "imgmill/commands/dedup.h"
#include "imgmill/commands/upscale.h"

namespace imgmill {
namespace {

constexpr CommandRow kCommands[] = {
    {"dedup", "find duplicate and near-duplicate images", CommandKind::kImages, &AddDedup},
    {"run", "run a pipeline of steps from a YAML file", CommandKind::kPipeline, nullptr},
    {"undo", "take back what --action moved or linked", CommandKind::kUndo, nullptr},
    {"upscale", "enlarge images with a model or a classical kernel", CommandKind::kImages, &AddUpscale},
};

}  // namespace

std::span<const CommandRow> CommandTable() {
  return kCommands;
}

const CommandRow* FindCommand(std::string_view name) {
  for (const CommandRow& row : kCommands) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace imgmill
