// One row a command; a new command is a new row.
#include "command_table.h"

#include "imgmill/commands/apply.h"
#include "imgmill/commands/compare.h"
#include "imgmill/commands/dedup.h"
#include "imgmill/commands/embed.h"
#include "imgmill/commands/filter.h"
#include "imgmill/commands/frames.h"
#include "imgmill/commands/match.h"
#include "imgmill/commands/pack.h"
#include "imgmill/commands/tile.h"
#include "imgmill/commands/upscale.h"

namespace imgmill {
namespace {

constexpr CommandRow kCommands[] = {
    {"apply", "carry out what was decided on a page of dedup --html", CommandKind::kImages, &AddApply,
     nullptr, /*reads_images=*/false},
    {"catalog", "show what runs remember of files, and forget those that are gone", CommandKind::kTool,
     nullptr, &AddCatalog},
    {"compare", "measure how far apart images are: PSNR, SSIM and more, pair by pair", CommandKind::kImages,
     &AddCompare, nullptr},
    {"dedup", "find duplicate and near-duplicate images", CommandKind::kImages, &AddDedup, nullptr,
     /*reads_images=*/true, /*leaves_set_aside=*/true},
    {"doctor", "check this machine and this installation", CommandKind::kTool, nullptr, &AddDoctor},
    {"embed", "compute a vector for each image", CommandKind::kImages, &AddEmbed, nullptr},
    {"explain", "say how a file of an output folder was made, back to its source", CommandKind::kTool,
     nullptr, &AddExplain},
    {"filter", "keep the images whose quality signals satisfy rules", CommandKind::kImages, &AddFilter,
     nullptr, /*reads_images=*/true, /*leaves_set_aside=*/true},
    {"frames", "write the frames of a video or animation, or pages of a TIFF, as images",
     CommandKind::kImages, &AddFrames, nullptr, /*reads_images=*/true, /*leaves_set_aside=*/false,
     /*runs_models=*/false},
    {"match", "find the images in a catalog that are nearest to given ones", CommandKind::kImages, &AddMatch,
     nullptr},
    {"memory", "show memory and budgets, advise on flags, clear learned costs", CommandKind::kTool, nullptr,
     &AddMemory},
    {"models", "identify weight files, or list the networks that imgmill knows", CommandKind::kTool, nullptr,
     &AddModels},
    {"pack", "pack images with their captions into tar shards or an LMDB database", CommandKind::kImages,
     &AddPack, nullptr, /*reads_images=*/true, /*leaves_set_aside=*/false, /*runs_models=*/false},
    {"plan", "show what another command would need, without running it", CommandKind::kPlan, nullptr,
     nullptr},
    {"report", "turn a --report file into a page: memory over time, batches, rungs", CommandKind::kTool,
     nullptr, &AddReport},
    {"run", "run a pipeline of steps from a YAML file", CommandKind::kPipeline, nullptr, nullptr},
    {"tile", "cut images into tiles, alone or in pairs of high and low resolution", CommandKind::kImages,
     &AddTile, nullptr, /*reads_images=*/true, /*leaves_set_aside=*/false, /*runs_models=*/false},
    {"undo", "revert what --action moved, copied or linked", CommandKind::kTool, nullptr, &AddUndo},
    {"upscale", "enlarge images with a model or a classical kernel", CommandKind::kImages, &AddUpscale,
     nullptr},
    {"verify", "check that output folders hold what was written to them", CommandKind::kTool, nullptr,
     &AddVerify},
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
