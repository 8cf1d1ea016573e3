// What the known names in a checkpoint's pickle stand for: storages, tensors, dicts. All others are opaque.
#include "imgmill/base/path_text.h"
#include "networks/weights/pickle.h"
#include "networks/weights/pickle_names.h"

namespace imgmill {
namespace {

using Kind = PickleValue::Kind;

constexpr struct {
  std::string_view name;
  PickleName meaning;
} kNames[] = {
    {"collections OrderedDict", PickleName::kOrderedDict},
    {"collections defaultdict", PickleName::kDefaultDict},
    {"torch._utils _rebuild_tensor", PickleName::kRebuildTensor},  // up to PyTorch 0.3
    {"torch._utils _rebuild_tensor_v2", PickleName::kRebuildTensor},
    {"torch._utils _rebuild_parameter", PickleName::kRebuildParameter},
    {"torch._utils _rebuild_parameter_with_state", PickleName::kRebuildParameter},
    {"torch Size", PickleName::kSize},
};

constexpr struct {
  std::string_view name;
  ElementType type;
} kStorages[] = {
    {"torch DoubleStorage", ElementType::kFloat64}, {"torch FloatStorage", ElementType::kFloat32},
    {"torch HalfStorage", ElementType::kFloat16},   {"torch BFloat16Storage", ElementType::kBFloat16},
    {"torch LongStorage", ElementType::kInt64},     {"torch IntStorage", ElementType::kInt32},
    {"torch ShortStorage", ElementType::kInt16},    {"torch CharStorage", ElementType::kInt8},
    {"torch ByteStorage", ElementType::kUInt8},     {"torch BoolStorage", ElementType::kBool},
};

/// PyTorch's own limit of a tensor's dimensions; and the longest key of a storage, where PyTorch writes a
/// number. Both are copied into each object that names them, which may be many in few bytes.
constexpr size_t kMostDimensions = 64;
constexpr size_t kLongestKey = 255;

Error Damaged(const std::string& what) {
  return WeightError("the pickle in it is damaged: " + what);
}

bool ReadSizes(const PickleValue& list, std::vector<int64_t>& sizes) {
  if (list.kind != Kind::kTuple && list.kind != Kind::kList) return false;
  if (list.items.size() > kMostDimensions) return false;
  for (const PickleValue* item : list.items) {
    if (item->kind != Kind::kInt || item->number < 0) return false;
    sizes.push_back(item->number);
  }
  return true;
}

}  // namespace

PickleName LookUpPickleName(std::string_view name) {
  for (const auto& known : kNames) {
    if (known.name == name) return known.meaning;
  }
  return StorageElementType(name) ? PickleName::kStorageType : PickleName::kUnknown;
}

std::optional<ElementType> StorageElementType(std::string_view name) {
  for (const auto& known : kStorages) {
    if (known.name == name) return known.type;
  }
  return std::nullopt;
}

std::string PickleValue::Name() const {
  const PickleValue& named = maker != nullptr ? *maker : *this;
  return named.items.size() == 2 ? named.items[0]->text + ' ' + named.items[1]->text : named.text;
}

std::string PickleValue::Origin() const {
  std::string name = Name();
  if (name.empty()) return "a class of the program";
  if (const size_t space = name.find(' '); space != std::string::npos) name[space] = '.';
  return PrintablePath(name);
}

Status PickleReader::PushGlobal(std::string module, std::string name) {
  std::string full = std::move(module) + ' ' + std::move(name);
  const bool of_program = what_ == PickleOf::kProgram && (IsProgramClass(full) || IsProgramMaker(full));
  const bool known = of_program || LookUpPickleName(full) != PickleName::kUnknown;
  Value* value = New(known ? Kind::kGlobal : Kind::kOpaque);
  value->text = std::move(full);
  if (!known && what_ == PickleOf::kProgram)
    return WeightError("its pickle asks for " + value->Origin() +
                       ", which is no part of a network: refused. Save model.state_dict() alone, or as "
                       ".safetensors");
  return Push(value);
}

Status PickleReader::PushOpaque(const Value* maker) {
  Value* value = New(Kind::kOpaque);
  // What an opaque object makes in its turn is told by the first of them.
  value->maker = maker != nullptr && maker->maker != nullptr ? maker->maker : maker;
  return Push(value);
}

Status PickleReader::Reduce() {
  const Value* arguments = Pop();
  const Value* callee = Pop();
  if (callee != nullptr && callee->kind == Kind::kOpaque) return PushOpaque(callee);
  if (callee == nullptr || callee->kind != Kind::kGlobal || arguments->kind != Kind::kTuple) {
    return Damaged("it calls something that is not a function");
  }
  switch (LookUpPickleName(callee->text)) {
    case PickleName::kOrderedDict: {
      Value* dict = New(Kind::kDict);
      // Python 2 wrote OrderedDict([[key, value], ...]).
      if (arguments->items.size() > 1) return Damaged("an OrderedDict with several arguments");
      if (!arguments->items.empty()) {
        // A list of pairs can stand for any number of dicts; in what Python writes, each pair is in one.
        copied_ += arguments->items[0]->items.size();
        if (copied_ > values_.size()) return Damaged("many OrderedDicts share the same pairs");
        for (const Value* pair : arguments->items[0]->items) {
          if (pair->items.size() != 2) return Damaged("an OrderedDict of items that are not pairs");
          dict->members.emplace_back(pair->items[0], pair->items[1]);
        }
      }
      return Push(dict);
    }
    case PickleName::kDefaultDict:
      return Push(New(Kind::kDict));
    case PickleName::kRebuildTensor:
      return RebuildTensor(*arguments);
    case PickleName::kRebuildParameter:
      if (!arguments->items.empty() && arguments->items[0]->kind == Kind::kOpaque)
        return Push(arguments->items[0]);
      if (arguments->items.empty() || arguments->items[0]->kind != Kind::kTensor) {
        return Damaged("a parameter without a tensor");
      }
      return Push(arguments->items[0]);
    case PickleName::kSize:
      if (arguments->items.size() != 1 || arguments->items[0]->kind != Kind::kTuple)
        return Damaged("a torch.Size");
      return Push(arguments->items[0]);
    case PickleName::kUnknown:  // of a program
      return Push(New(IsProgramClass(callee->text) ? Kind::kDict : Kind::kNone));
    case PickleName::kStorageType:
      break;
  }
  return Damaged("it calls something that is not a function");
}

Status PickleReader::RebuildTensor(const Value& arguments) {
  // (storage, offset, size, stride[, requires_grad, hooks[, metadata]])
  constexpr size_t kMetadata = 6;
  const std::vector<Value*>& items = arguments.items;
  if (!items.empty() && items[0]->kind == Kind::kOpaque) return Push(items[0]);  // of an unknown element type
  if (items.size() < 4 || items[0]->kind != Kind::kStorage || items[1]->kind != Kind::kInt ||
      items[1]->number < 0) {
    return Damaged("a tensor without a storage");
  }
  if (items.size() > kMetadata) {
    // PyTorch keeps a minus aside as a bit.
    const Value* negative = items[kMetadata]->Find("neg");
    if (negative != nullptr && negative->number != 0)
      return WeightError("it has tensors whose sign is kept aside: save them with tensor.resolve_neg()");
  }
  Value* tensor = New(Kind::kTensor);
  tensor->storage = items[0];
  tensor->offset = items[1]->number;
  if (!ReadSizes(*items[2], tensor->shape) || !ReadSizes(*items[3], tensor->strides) ||
      tensor->shape.size() != tensor->strides.size()) {
    return Damaged("a tensor whose sizes and strides do not match");
  }
  return Push(tensor);
}

Status PickleReader::Build() {
  const Value* state = Pop();
  if (state == nullptr || stack_.empty()) return Damaged("BUILD without an object");
  Value* object = stack_.back();
  if (object->kind == Kind::kOpaque) return {};
  if (object->kind != Kind::kDict) return Damaged("attributes for an object that cannot have any");
  // A state dict carries _metadata (versions of its layers) as an attribute; nothing needs it.
  if (what_ == PickleOf::kStateDict || state == object) return {};
  copied_ += state->members.size();
  if (copied_ > values_.size()) return Damaged("many objects share the same attributes");
  object->members.insert(object->members.end(), state->members.begin(), state->members.end());
  return {};
}

Status PickleReader::PersistentId() {
  // ("storage", type, key, location, elements[, view]), view = None or (key, offset, elements) in old files.
  const Value* id = Pop();
  if (id == nullptr || id->kind != Kind::kTuple || id->items.size() < 4 || id->items.size() > 6) {
    return Damaged("an unknown persistent id");
  }
  const std::vector<Value*>& items = id->items;
  // Old files have ("module", class, source file, source) for each class of a whole pickled model.
  if (items[0]->kind != Kind::kText || items[0]->text != "storage") return Push(New(Kind::kOpaque));
  if (items[1]->kind == Kind::kOpaque) return PushOpaque(items[1]);
  if (items.size() < 5) return Damaged("an unknown persistent id");
  const std::optional<ElementType> type =
      items[1]->kind == Kind::kGlobal ? StorageElementType(items[1]->text) : std::nullopt;
  if (!type || items[2]->kind != Kind::kText || items[2]->text.size() > kLongestKey ||
      items[4]->kind != Kind::kInt || items[4]->number < 0) {
    return Damaged("an unknown kind of storage");
  }
  Value* storage = New(Kind::kStorage);
  storage->type = *type;
  storage->text = items[2]->text;
  storage->number = items[4]->number;
  if (items.size() == 6 && items[5]->kind != Kind::kNone) {
    const std::vector<Value*>& view = items[5]->items;
    if (view.size() != 3 || view[1]->kind != Kind::kInt || view[1]->number < 0)
      return Damaged("a view of a storage");
    storage->offset = view[1]->number;
  }
  return Push(storage);
}

}  // namespace imgmill
