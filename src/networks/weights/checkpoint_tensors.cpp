// Finds the tensors that a checkpoint's pickle describes.
#include "networks/weights/checkpoint_tensors.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "networks/weights/averaged_names.h"

namespace imgmill {
namespace {

using Kind = PickleValue::Kind;

bool HoldsTensors(const PickleValue& dict) {
  return std::any_of(dict.members.begin(), dict.members.end(), [](const auto& member) {
    // The states of random generators are bytes.
    return member.first->kind == Kind::kText && member.second->kind == Kind::kTensor &&
           member.second->storage->type != ElementType::kUInt8;
  });
}

/// What training programs call the weights in their files. Where averaged ones stand beside the raw ones, the
/// averaged ones are meant.
constexpr const char* kWrappers[] = {"params",    "state_dict", "model_state_dict", "model",  "net_g", "netG",
                                     "generator", "net",        "teacher",          "student"};

/// Whether an opaque object is a tensor of a kind that is not read, a quantized one for instance.
bool IsUnreadTensor(const PickleValue& value) {
  if (value.kind != Kind::kOpaque || value.maker == nullptr) return false;
  const std::string name = value.Name();
  return name.starts_with("torch._utils ") || name.starts_with("torch._tensor ") ||
         name.ends_with("Storage") || name.ends_with("_reconstruct");
}

/// What the file has instead of a state dict.
std::string WhyNoTensors(const PickleValue& root) {
  if (root.kind == Kind::kOpaque)
    return "it is a whole pickled model or another object (made by " + root.Origin() +
           "), not a state dict: save model.state_dict() alone, or as .safetensors";
  std::string text = "it holds no state dict: no named tensors, in whatever dicts";
  for (const auto& [key, value] : root.members) {
    if (value->kind == Kind::kOpaque && key->kind == Kind::kText)
      return text + "; its " + PrintablePath(key->text) + " is made by " + value->Origin() +
             ", which is not read: save model.state_dict() alone";
  }
  return text;
}

/// Finds the dict that holds the weights, in dicts of dicts.
class Unwrapping {
 public:
  /// Null where there is none, or where `sets` are several of which none has a name that tells.
  const PickleValue* In(const PickleValue& value, int depth = 0) {
    // A dict can hold itself, many times.
    visited_ += 1 + value.members.size();
    if (depth > kDeepest || visited_ > kMostVisited) return nullptr;
    if (value.kind == Kind::kList || value.kind == Kind::kTuple)
      return value.items.size() == 1 ? In(*value.items[0], depth + 1) : nullptr;
    if (value.kind != Kind::kDict) return nullptr;
    for (const bool averaged : {true, false}) {
      for (const char* wrapper : kWrappers) {
        for (const auto& [key, inner] : value.members) {
          if (key->kind != Kind::kText || IsOfTraining(key->text)) continue;
          if (averaged ? !IsAveragedForm(key->text, wrapper) : key->text != wrapper) continue;
          const PickleValue* found = In(*inner, depth + 1);
          if (found == nullptr) continue;
          NoteOthers(value, key->text, found, depth);
          return found;
        }
      }
    }
    if (HoldsTensors(value)) return &value;
    return OnlyOne(value, depth);
  }

  std::vector<std::string> sets;
  std::string taken;               ///< the name of the set, where there are others beside it
  std::vector<std::string> aside;  ///< the names of those

 private:
  static constexpr int kDeepest = 6;
  static constexpr size_t kMostVisited = 1'000'000;  ///< values, and members to look through

  /// Optimizers and schedules keep tensors of their own.
  static bool IsOfTraining(const std::string& key) {
    return key.find("optim") != std::string::npos || key.find("sched") != std::string::npos;
  }

  const PickleValue* OnlyOne(const PickleValue& value, int depth) {
    const PickleValue* only = nullptr;
    std::vector<std::string> names;
    for (const auto& [key, inner] : value.members) {
      if (key->kind != Kind::kText || IsOfTraining(key->text)) continue;
      const PickleValue* found = In(*inner, depth + 1);
      if (found == nullptr || found == only) continue;
      const auto is_raw = [&](const std::string& name) { return IsAveragedForm(key->text, name); };
      const auto is_averaged = [&](const std::string& name) { return IsAveragedForm(name, key->text); };
      if (std::any_of(names.begin(), names.end(), is_averaged)) {
        aside.push_back(key->text);
        continue;
      }
      if (const auto raw = std::find_if(names.begin(), names.end(), is_raw); raw != names.end()) {
        aside.push_back(*raw);
        names.erase(raw);
      }
      only = found;
      names.push_back(key->text);
    }
    if (names.size() > 1) sets = names;
    if (names.size() == 1 && !aside.empty()) taken = names[0];
    return names.size() == 1 ? only : nullptr;
  }

  /// The sets that stand beside the one that was chosen by its name.
  void NoteOthers(const PickleValue& dict, const std::string& chosen, const PickleValue* found, int depth) {
    std::vector<std::string> others;
    for (const auto& [key, inner] : dict.members) {
      if (key->kind != Kind::kText || IsOfTraining(key->text) || key->text == chosen) continue;
      Unwrapping look;
      look.visited_ = visited_;
      const PickleValue* other = look.In(*inner, depth + 1);
      visited_ = look.visited_;
      if ((other != nullptr && other != found) || !look.sets.empty()) others.push_back(key->text);
    }
    if (others.empty()) return;
    taken = taken.empty() ? chosen : chosen + "." + taken;
    aside.insert(aside.end(), others.begin(), others.end());
  }

  size_t visited_ = 0;
};

/// The first and last element of a tensor in its storage, counted from the storage's start; false if that
/// overflows.
bool Span(const PickleValue& tensor, int64_t& first, int64_t& last) {
  if (__builtin_add_overflow(tensor.offset, tensor.storage->offset, &first)) return false;
  last = first;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    int64_t reach = 0;
    if (tensor.shape[i] > 0 && (__builtin_mul_overflow(tensor.shape[i] - 1, tensor.strides[i], &reach) ||
                                __builtin_add_overflow(last, reach, &last))) {
      return false;
    }
  }
  return true;
}

bool IsDense(const PickleValue& tensor) {
  int64_t expected = 1;
  for (size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != expected) return false;
    expected *= tensor.shape[i];
  }
  return true;
}

/// Copies the strided elements in `span` (which starts at the tensor's first one) into row-major order.
void Gather(const PickleValue& tensor, size_t element_bytes, const uint8_t* span, uint8_t* out,
            int64_t count) {
  std::vector<int64_t> index(tensor.shape.size(), 0);
  int64_t position = 0;
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(out, span + static_cast<size_t>(position) * element_bytes, element_bytes);
    out += element_bytes;
    for (size_t axis = index.size(); axis-- > 0;) {
      position += tensor.strides[axis];
      if (++index[axis] < tensor.shape[axis]) break;
      position -= tensor.strides[axis] * tensor.shape[axis];
      index[axis] = 0;
    }
  }
}

/// Finds tensors one after another, within a budget of bytes. Those with strides of their own are gathered.
class TensorReader {
 public:
  TensorReader(std::shared_ptr<const WeightFile> file, const LocateStorage& locate)
      : file_(std::move(file)), locate_(locate), budget_(16 * file_->size() + 4096) {}

  Result<WeightTensor> Read(const std::string& name, const PickleValue& source) {
    const ElementType type = source.storage->type;
    const size_t element_bytes = ElementBytes(type);
    const int64_t count = CountElements(source.shape);
    int64_t first = 0, last = 0;
    if (count < 0 || !Span(source, first, last)) return Bad(name, "is too large");
    WeightTensor tensor{.type = type, .shape = source.shape};
    if (count == 0) return tensor;

    Result<StorageLocation> storage = locate_(source.storage->text, type);
    if (!storage) return storage.error();
    if (last >= storage->elements) return Bad(name, "reaches beyond its storage");
    const size_t bytes = static_cast<size_t>(count) * element_bytes;
    const size_t span_bytes = static_cast<size_t>(last - first + 1) * element_bytes;
    // A few bytes of pickle can ask for one storage again and again, or stretch one element over any shape.
    if (bytes > budget_ || span_bytes > budget_)
      return Bad(name, "makes the weights far larger than the file");
    budget_ -= std::max(bytes, span_bytes);

    const uint64_t offset = storage->offset + static_cast<uint64_t>(first) * element_bytes;
    if (IsDense(source)) {
      tensor.file = file_;
      tensor.offset = offset;
      return tensor;
    }
    Buffer span(span_bytes);
    TRY(file_->ReadAt(offset, span.data(), span_bytes));
    tensor.held = Buffer(bytes);
    Gather(source, element_bytes, span.data(), tensor.held.data(), count);
    return tensor;
  }

 private:
  static Error Bad(const std::string& name, const std::string& what) {
    return WeightError("its tensor " + PrintablePath(name) + ' ' + what);
  }

  const std::shared_ptr<const WeightFile> file_;
  const LocateStorage& locate_;
  uint64_t budget_;
};

/// Collects a program's tensors by their paths.
class Flattening {
 public:
  /// False where objects hold each other, or are more than a network has.
  bool Add(const PickleValue& object, const std::string& path, int depth = 0) {
    if (depth > kDeepest) return false;
    for (const auto& [name, value] : object.members) {
      // One object may stand for many, and one name.
      if (++visited_ > kMostVisited || name->text.size() + path.size() > kLongest) return false;
      if (name->text == kMask) continue;
      if (value->kind == Kind::kTensor) tensors.emplace(path + name->text, value);
      if (value->kind == Kind::kDict && !Add(*value, path + name->text + ".", depth + 1)) return false;
    }
    return true;
  }

  std::map<std::string, const PickleValue*> tensors;

 private:
  /// Minus infinity where a word must not look: no weight, and it follows from the text's length.
  static constexpr std::string_view kMask = "attn_mask";
  static constexpr int kDeepest = 32, kMostVisited = 100'000;
  static constexpr size_t kLongest = 512;

  int visited_ = 0;
};

}  // namespace

Result<StateDict> ReadProgramTensors(const std::shared_ptr<const WeightFile>& file, const PickleValue& root,
                                     const LocateStorage& locate) {
  Flattening flattening;
  if (!flattening.Add(root, ""))
    return WeightError("its objects are nested too deeply, or are more than a network has");
  TensorReader reader(file, locate);
  StateDict weights;
  weights.file = file;
  for (const auto& [name, source] : flattening.tensors) {
    WeightTensor tensor = TRY(reader.Read(name, *source));
    weights.tensors.emplace(name, std::move(tensor));
  }
  return weights;
}

Result<StateDict> ReadCheckpointTensors(const std::shared_ptr<const WeightFile>& file,
                                        const PickleValue& root, const LocateStorage& locate) {
  Unwrapping unwrapping;
  const PickleValue* dict = unwrapping.In(root);
  if (dict == nullptr && !unwrapping.sets.empty()) {
    std::string names;
    for (const std::string& name : unwrapping.sets)
      names += (names.empty() ? "" : ", ") + PrintablePath(name);
    return WeightError("it holds several sets of weights (" + names +
                       "), and no name tells which is meant: save the one that you want by itself");
  }
  if (dict == nullptr) return WeightError(WhyNoTensors(root));
  TensorReader reader(file, locate);
  StateDict weights;
  weights.file = file;
  weights.taken = unwrapping.taken;
  weights.aside = unwrapping.aside;
  for (const auto& [name, value] : dict->members) {
    if (name->kind != Kind::kText) continue;
    if (IsUnreadTensor(*value))
      return WeightError("its tensor " + PrintablePath(name->text) + " is made by " + value->Origin() +
                         ", which is not supported: save plain tensors of floating point numbers");
    if (value->kind == Kind::kOpaque) weights.unread.emplace(name->text, value->Origin());
    if (value->kind != Kind::kTensor) continue;
    WeightTensor tensor = TRY(reader.Read(name->text, *value));
    if (!weights.tensors.emplace(name->text, std::move(tensor)).second) {
      return WeightError("its state dict has " + PrintablePath(name->text) + " twice");
    }
  }
  return weights;
}

}  // namespace imgmill
