// Checkpoints of PyTorch 0.1.10 to 1.5: five pickles (magic number, protocol, system, objects, keys of the
// storages), then for each key the number of elements and the elements.
#include <map>

#include "base/try.h"
#include "networks/weights/checkpoint_tensors.h"
#include "networks/weights/readers.h"

namespace imgmill {
namespace {

using Kind = PickleValue::Kind;

constexpr int64_t kProtocol = 1001;

/// Element types of all storages that the pickles name, by key: those of objects that are not read, too.
Result<std::map<std::string, ElementType>> StorageTypes(const PickleReader& reader) {
  std::map<std::string, ElementType> types;
  for (const PickleValue& value : reader.values()) {
    if (value.kind != Kind::kStorage) continue;
    const auto [known, added] = types.emplace(value.text, value.type);
    if (!added && known->second != value.type) return WeightError("a storage of two element types");
  }
  return types;
}

/// ": torch.QUInt8Storage is not supported", where the pickles name such a type.
std::string UnknownStorage(const PickleReader& reader) {
  for (const PickleValue& value : reader.values()) {
    if (value.kind == Kind::kOpaque && value.maker == nullptr && value.Name().ends_with("Storage"))
      return ": " + value.Origin() + " is not supported";
  }
  return {};
}

}  // namespace

Result<StateDict> ReadLegacyCheckpoint(const std::shared_ptr<const WeightFile>& file) {
  WeightCursor cursor(*file, 0, file->size());
  PickleReader reader(cursor);
  TRY(reader.Read());  // the magic number, which told that it is one
  const PickleValue* protocol = TRY(reader.Read());
  if (protocol->kind != Kind::kInt || protocol->number != kProtocol) {
    return WeightError("it has an unknown version of PyTorch's old format");
  }
  const PickleValue* system = TRY(reader.Read());
  const PickleValue* little = system->Find("little_endian");
  if (little == nullptr || little->kind != Kind::kBool || little->number == 0) {
    return WeightError("it was saved on a big-endian machine, which is not supported");
  }
  const PickleValue* root = TRY(reader.Read());
  const PickleValue* keys = TRY(reader.Read());
  if (keys->kind != Kind::kList) return WeightError("the pickle in it is damaged: no list of storages");

  std::map<std::string, ElementType> types = TRY(StorageTypes(reader));
  std::map<std::string, StorageLocation> storages;
  uint64_t offset = cursor.position();
  // What stands behind a storage of unknown type is not found; whoever needs it learns why.
  Error missing = WeightError("the storage of a tensor is missing");
  for (const PickleValue* key : keys->items) {
    const auto type = types.find(key->text);
    if (key->kind != Kind::kText || type == types.end()) {
      missing = WeightError("it has a storage that no tensor names" + UnknownStorage(reader));
      break;
    }
    uint8_t raw[8];
    TRY(file->ReadAt(offset, raw, sizeof raw));
    uint64_t elements = 0;
    for (int i = 7; i >= 0; --i) elements = elements << 8 | raw[i];
    offset += sizeof raw;
    if (elements > (file->size() - offset) / ElementBytes(type->second))
      return WeightError("the file ends early");
    if (!storages.emplace(key->text, StorageLocation{offset, static_cast<int64_t>(elements)}).second) {
      return WeightError("it has a storage twice");
    }
    offset += elements * ElementBytes(type->second);
  }

  const LocateStorage locate = [&](const std::string& key, ElementType) -> Result<StorageLocation> {
    const auto found = storages.find(key);
    if (found == storages.end()) return missing;
    return found->second;
  };
  return ReadCheckpointTensors(file, *root, locate);
}

}  // namespace imgmill
