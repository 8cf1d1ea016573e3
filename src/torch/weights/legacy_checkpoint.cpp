// Checkpoints of PyTorch 0.1.10 to 1.5: five pickles (magic number, protocol, system, objects, keys of the
// storages), then for each key the number of elements and the elements.
#include <map>

#include "base/try.h"
#include "torch/weights/checkpoint_tensors.h"
#include "torch/weights/readers.h"

namespace imgmill {
namespace {

using Kind = PickleValue::Kind;

constexpr int64_t kProtocol = 1001;

/// Element types of all storages that the objects name, by key. A walk without recursion: pickles can be
/// deep.
Result<std::map<std::string, ElementType>> StorageTypes(const PickleValue& root) {
  std::map<std::string, ElementType> types;
  std::vector<const PickleValue*> waiting = {&root};
  std::set<const PickleValue*> seen;
  while (!waiting.empty()) {
    const PickleValue* value = waiting.back();
    waiting.pop_back();
    if (!seen.insert(value).second) continue;
    if (value->kind == Kind::kStorage) {
      const auto [known, added] = types.emplace(value->text, value->type);
      if (!added && known->second != value->type) return WeightError("a storage of two element types");
    }
    if (value->storage != nullptr) waiting.push_back(value->storage);
    waiting.insert(waiting.end(), value->items.begin(), value->items.end());
    for (const auto& [key, member] : value->members) waiting.push_back(member);
  }
  return types;
}

}  // namespace

Result<StateDict> ReadLegacyCheckpoint(const WeightFile& file) {
  WeightCursor cursor(file, 0, file.size());
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

  std::map<std::string, ElementType> types = TRY(StorageTypes(*root));
  std::map<std::string, StorageLocation> storages;
  uint64_t offset = cursor.position();
  for (const PickleValue* key : keys->items) {
    const auto type = types.find(key->text);
    if (key->kind != Kind::kText || type == types.end())
      return WeightError("it has a storage that no tensor names");
    uint8_t raw[8];
    TRY(file.ReadAt(offset, raw, sizeof raw));
    uint64_t elements = 0;
    for (int i = 7; i >= 0; --i) elements = elements << 8 | raw[i];
    offset += sizeof raw;
    if (elements > (file.size() - offset) / ElementBytes(type->second))
      return WeightError("the file ends early");
    if (!storages.emplace(key->text, StorageLocation{offset, static_cast<int64_t>(elements)}).second) {
      return WeightError("it has a storage twice");
    }
    offset += elements * ElementBytes(type->second);
  }

  const LocateStorage locate = [&](const std::string& key, ElementType) -> Result<StorageLocation> {
    const auto found = storages.find(key);
    if (found == storages.end()) return WeightError("the storage of a tensor is missing");
    return found->second;
  };
  return ReadCheckpointTensors(file, *root, locate);
}

}  // namespace imgmill
