// Tells the formats of weight files apart, by content: names lie.
#include <algorithm>
#include <cstring>

#include "base/try.h"
#include "networks/weights/readers.h"
#include "networks/weights/zip_archive.h"

namespace imgmill {
namespace {

/// What a file that is no weight file looks like from its first bytes, where that helps the user.
Error NoWeights(const std::string& path, std::string_view start) {
  const auto begins = [&](std::string_view with) { return start.starts_with(with); };
  std::string seen = "neither a .safetensors file nor a PyTorch state dict";
  if (start.empty()) {
    seen = "an empty file";
  } else if (begins("version https://git-lfs")) {
    seen = "a Git LFS pointer: fetch the file itself with `git lfs pull`";
  } else if (begins("<!") || begins("<html")) {
    seen = "a web page: the download went wrong";
  } else if (start.size() > 8 && start.substr(4, 3) == "PTM") {
    seen = "a TorchScript program for phones, not a state dict";
  } else if (begins("7767517")) {
    seen = "an ncnn model description; imgmill takes the PyTorch weights it was made from";
  } else if (start.size() >= 262 && start.substr(257, 5) == "ustar") {
    seen = "a tar archive, PyTorch's format before 0.1.10: load and save it with a newer PyTorch";
  } else if (start[0] == '{' && path.ends_with(".index.json")) {
    seen =
        "an index of weights in several files (shards): join them into one .safetensors first, with "
        "load_file and save_file of the Python package safetensors";
  } else if (start[0] == '\x80') {
    seen = "a bare pickle, not what torch.save writes";
  }
  return WeightError("this is " + seen);
}

Result<StateDict> ReadAnyFormat(const std::string& path) {
  WeightFile opened = TRY(WeightFile::Open(path));
  const auto file = std::make_shared<const WeightFile>(std::move(opened));
  char buffer[264];
  const size_t bytes = static_cast<size_t>(std::min<uint64_t>(file->size(), sizeof buffer));
  TRY(file->ReadAt(0, buffer, bytes));
  const std::string_view start(buffer, bytes);

  if (start.starts_with(kZipStart)) return ReadZipCheckpoint(file);
  // PROTO 2, LONG1 of ten bytes: 0x1950a86a20f9469cfc6c, STOP.
  constexpr std::string_view kLegacyMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  if (start.starts_with(kLegacyMagic)) return ReadLegacyCheckpoint(file);
  // A header of at most 100 MB leaves four of the eight length bytes zero.
  if (start.size() > 8 && start[8] == '{' && start.substr(4, 4) == std::string_view("\0\0\0\0", 4)) {
    return ReadSafetensors(file);
  }
  return NoWeights(path, start);
}

}  // namespace

Result<bool> IsTorchScript(const std::string& path) {
  WeightFile file = TRY(WeightFile::Open(path));
  bool is_zip = TRY(BeginsAsZip(file));
  if (!is_zip) return false;
  return HoldsProgram(file);
}

Result<StateDict> ReadStateDict(const std::string& path) {
  StateDict weights = TRY(ReadAnyFormat(path));
  // PyTorch's averages count their updates beside the network.
  if (const auto counter = weights.tensors.find("n_averaged");
      counter != weights.tensors.end() && counter->second.shape.empty())
    weights.tensors.erase(counter);
  // What PyTorch's own wrappers, DataParallel and torch.compile, put in front of each name.
  while (DropPrefix(weights, "module.") || DropPrefix(weights, "_orig_mod.")) {
  }
  return weights;
}

}  // namespace imgmill
