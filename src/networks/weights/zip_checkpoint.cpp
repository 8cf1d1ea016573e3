// Checkpoints of PyTorch 1.6 and newer: NAME/data.pkl and NAME/data/KEY in a ZIP archive.
#include <map>
#include <optional>

#include "base/try.h"
#include "networks/weights/checkpoint_tensors.h"
#include "networks/weights/readers.h"
#include "networks/weights/zip_archive.h"

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

/// Of torch.export.save, in the forms of PyTorch 2.1 and of 2.7.
bool IsOfExport(std::string_view inner) {
  return inner == "serialized_exported_program.json" || inner == "models/model.json";
}

/// The archive, its one pickle, and the storages beside that.
class Archive {
 public:
  explicit Archive(const WeightFile& file) : file_(file) {}

  /// Lists what is in it. A kModelError where that is damaged, or has several pickles.
  Status Open() {
    ZipDirectory directory = TRY(ReadZipDirectory(file_));
    directory_ = std::move(directory);
    for (const auto& [name, entry] : directory_) {
      const std::string_view inner = Inner(name);
      if (inner == kPickle) {
        if (has_pickle_) return WeightError("the ZIP archive has several data.pkl");
        has_pickle_ = true;
        folder_ = name.substr(0, name.size() - kPickle.size());
      }
      is_program_ |= IsOfProgram(inner);
      is_exported_ |= IsOfExport(inner);
    }
    return {};
  }

  bool is_program() const { return is_program_; }
  bool is_exported() const { return is_exported_; }
  bool has_pickle() const { return has_pickle_; }

  /// What the pickle describes. It lives as long as the archive.
  Result<const PickleValue*> Root() {
    TRY(CheckByteOrder());
    std::pair<uint64_t, uint64_t> pickle = TRY(Locate(folder_ + "data.pkl"));
    WeightCursor cursor(file_, pickle.first, pickle.second);
    reader_.emplace(cursor, is_program_ ? PickleOf::kProgram : PickleOf::kStateDict);
    return reader_->Read();
  }

  /// Where a member's bytes are, and how many; verified.
  Result<std::pair<uint64_t, uint64_t>> Locate(const std::string& name) {
    const auto found = directory_.find(name);
    if (found == directory_.end()) return WeightError("the ZIP archive lacks " + name);
    if (const auto known = verified_.find(name); known != verified_.end()) {
      return std::pair(known->second, found->second.bytes);
    }
    uint64_t offset = TRY(LocateZipData(file_, name, found->second));
    TRY(VerifyZipData(file_, name, found->second, offset));
    verified_.emplace(name, offset);
    return std::pair(offset, found->second.bytes);
  }

  Result<StorageLocation> Storage(const std::string& key, ElementType type) {
    std::pair<uint64_t, uint64_t> data = TRY(Locate(folder_ + "data/" + key));
    return StorageLocation{data.first, static_cast<int64_t>(data.second / ElementBytes(type))};
  }

 private:
  Status CheckByteOrder() const {
    const auto found = directory_.find(folder_ + "byteorder");
    if (found == directory_.end()) return {};
    uint64_t offset = TRY(LocateZipData(file_, found->first, found->second));
    char order[6];
    if (found->second.bytes == sizeof order) {
      TRY(file_.ReadAt(offset, order, sizeof order));
      if (std::string_view(order, sizeof order) == "little") return {};
    }
    return WeightError("it was saved on a big-endian machine, which is not supported");
  }

  const WeightFile& file_;
  ZipDirectory directory_;
  std::string folder_;  ///< in which data.pkl stands, with a trailing slash
  bool has_pickle_ = false, is_program_ = false, is_exported_ = false;
  std::optional<PickleReader> reader_;
  std::map<std::string, uint64_t> verified_;  ///< offsets
};

/// OpenAI's CLIP files are programs that take an image and text, of which nobody but their own library could
/// make use: it takes the weights out of them, and so do we.
bool HasTwoTowers(const PickleValue& program) {
  const PickleValue* image = program.Find("visual");
  return image != nullptr && image->kind == PickleValue::Kind::kDict &&
         program.Find("token_embedding") != nullptr && program.Find("logit_scale") != nullptr;
}

}  // namespace

Result<bool> HoldsProgram(const WeightFile& file) {
  Archive archive(file);
  TRY(archive.Open());
  if (!archive.is_program() || !archive.has_pickle()) return archive.is_program();
  const Result<const PickleValue*> root = archive.Root();
  return !root || !HasTwoTowers(**root);
}

Result<StateDict> ReadZipCheckpoint(const std::shared_ptr<const WeightFile>& file) {
  Archive archive(*file);
  TRY(archive.Open());
  const LocateStorage locate = [&](const std::string& key, ElementType type) {
    return archive.Storage(key, type);
  };
  if (archive.is_program()) {
    const Error refusal =
        WeightError("it is a TorchScript program, not a state dict: save the model's state_dict() instead");
    if (!archive.has_pickle()) return refusal;
    const Result<const PickleValue*> root = archive.Root();
    if (!root || !HasTwoTowers(**root)) return refusal;
    return ReadProgramTensors(file, **root, locate);
  }
  if (archive.is_exported())
    return WeightError(
        "it is an exported program (torch.export.save), which is not run: compile it with "
        "torch._inductor.aoti_compile_and_package for embed and match, save a TorchScript program "
        "(torch.jit.trace), or save the model's state_dict()");
  if (!archive.has_pickle())
    return WeightError(
        "it is a ZIP archive, but none that torch.save makes (no data.pkl in it): neither weights nor "
        "a program");
  const PickleValue* root = TRY(archive.Root());
  return ReadCheckpointTensors(file, *root, locate);
}

}  // namespace imgmill
