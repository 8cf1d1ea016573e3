// Checkpoints of PyTorch 1.6 and newer: NAME/data.pkl and NAME/data/KEY in a ZIP archive.
#include <set>

#include "base/try.h"
#include "torch/weights/checkpoint_tensors.h"
#include "torch/weights/readers.h"
#include "torch/weights/zip_archive.h"

namespace imgmill {
namespace {

constexpr std::string_view kPickle = "data.pkl";

/// The name in the archive's one folder.
std::string_view Inner(std::string_view name) {
  const size_t slash = name.find('/');
  return name.substr(slash == std::string_view::npos ? 0 : slash + 1);
}

bool IsOfProgram(std::string_view inner) {
  return inner == "constants.pkl" || inner == "bytecode.pkl" || inner.starts_with("code/");
}

/// The folder in which data.pkl stands, with a trailing slash.
Result<std::string> FindFolder(const ZipDirectory& directory) {
  const std::string* found = nullptr;
  bool program = false;
  for (const auto& [name, entry] : directory) {
    const std::string_view inner = Inner(name);
    if (inner == kPickle) {
      if (found != nullptr) return WeightError("the ZIP archive has several data.pkl");
      found = &name;
    }
    program |= IsOfProgram(inner);
  }
  if (program) {
    return WeightError(
        "it is a TorchScript program, not a state dict: save the model's state_dict() instead");
  }
  if (found == nullptr)
    return WeightError("it is a ZIP archive, but none that torch.save makes (no data.pkl in it)");
  return found->substr(0, found->size() - kPickle.size());
}

Status CheckByteOrder(const WeightFile& file, const ZipDirectory& directory, const std::string& folder) {
  const auto found = directory.find(folder + "byteorder");
  if (found == directory.end()) return {};
  uint64_t offset = TRY(LocateZipData(file, found->first, found->second));
  char order[6];
  if (found->second.bytes == sizeof order) {
    TRY(file.ReadAt(offset, order, sizeof order));
    if (std::string_view(order, sizeof order) == "little") return {};
  }
  return WeightError("it was saved on a big-endian machine, which is not supported");
}

}  // namespace

Result<bool> HoldsProgram(const WeightFile& file) {
  ZipDirectory directory = TRY(ReadZipDirectory(file));
  bool pickle = false, program = false;
  for (const auto& [name, entry] : directory) {
    pickle |= Inner(name) == kPickle;
    program |= IsOfProgram(Inner(name));
  }
  return program || !pickle;
}

Result<StateDict> ReadZipCheckpoint(const WeightFile& file) {
  ZipDirectory directory = TRY(ReadZipDirectory(file));
  std::string folder = TRY(FindFolder(directory));
  TRY(CheckByteOrder(file, directory, folder));

  std::map<std::string, uint64_t> verified;
  const auto open = [&](const std::string& name) -> Result<std::pair<uint64_t, uint64_t>> {
    const auto found = directory.find(name);
    if (found == directory.end()) return WeightError("the ZIP archive lacks " + name);
    if (const auto known = verified.find(name); known != verified.end()) {
      return std::pair(known->second, found->second.bytes);
    }
    uint64_t offset = TRY(LocateZipData(file, name, found->second));
    TRY(VerifyZipData(file, name, found->second, offset));
    verified.emplace(name, offset);
    return std::pair(offset, found->second.bytes);
  };

  auto pickle = open(folder + "data.pkl");
  if (!pickle) return pickle.error();
  WeightCursor cursor(file, pickle->first, pickle->second);
  PickleReader reader(cursor);
  const PickleValue* root = TRY(reader.Read());
  const LocateStorage locate = [&](const std::string& key, ElementType type) -> Result<StorageLocation> {
    auto data = open(folder + "data/" + key);
    if (!data) return data.error();
    return StorageLocation{data->first, static_cast<int64_t>(data->second / ElementBytes(type))};
  };
  return ReadCheckpointTensors(file, *root, locate);
}

}  // namespace imgmill
