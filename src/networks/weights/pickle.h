// A reader for the pickles inside PyTorch checkpoints that cannot execute anything: it knows containers,
// numbers, text and tensors. What any other name makes is opaque. Of TorchScript's objects it sees the
// attributes.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "imgmill/base/result.h"
#include "networks/weights/state_dict.h"
#include "networks/weights/weight_file.h"

namespace imgmill {

/// One object of a pickle. References point into the PickleReader that made it, and may form cycles.
struct PickleValue {
  enum class Kind {
    kNone,
    kBool,
    kInt,
    kFloat,
    kText,
    kTuple,
    kList,
    kDict,
    kGlobal,
    kStorage,
    kTensor,
    kOpaque
  };

  Kind kind = Kind::kNone;
  int64_t number = 0;               ///< kBool, kInt; kStorage: its elements
  std::string text;                 ///< kText; kGlobal: "module name"; kStorage: its key
  std::vector<PickleValue*> items;  ///< kTuple, kList
  std::vector<std::pair<PickleValue*, PickleValue*>> members;  ///< kDict

  ElementType type = ElementType::kFloat32;  ///< kStorage
  int64_t offset = 0;                   ///< kTensor, and kStorage that is a view: elements from the start
  PickleValue* storage = nullptr;       ///< kTensor
  const PickleValue* maker = nullptr;   ///< kOpaque: the class or function that makes it; null: it is one
  std::vector<int64_t> shape, strides;  ///< kTensor

  /// The member of a dict under a text key; null where there is none.
  const PickleValue* Find(std::string_view key) const;
  /// kOpaque: what it is or what makes it, "numpy.core.multiarray scalar".
  std::string Name() const;
  /// The same with a dot, fit to be printed.
  std::string Origin() const;
};

/// What a pickle is of. A program's objects, which have classes of the program's own, become dicts of their
/// attributes.
enum class PickleOf { kStateDict, kProgram };

/// Reads the next pickle at `cursor`. Errors are kModelErrors.
class PickleReader {
 public:
  explicit PickleReader(WeightCursor& cursor, PickleOf what = PickleOf::kStateDict)
      : cursor_(cursor), what_(what) {}
  Result<const PickleValue*> Read();

  /// All that Read has made, of every pickle so far.
  const std::deque<PickleValue>& values() const { return values_; }

 private:
  using Value = PickleValue;

  Status Step(uint8_t opcode);
  Status PushText(size_t length_bytes);
  Status PushLong(size_t length_bytes);
  Status PushGlobal(std::string module, std::string name);
  Status PushOpaque(const Value* maker);
  Status Fill(char opcode);
  Status Reduce();
  Status Build();
  Status PersistentId();
  Status RebuildTensor(const Value& arguments);

  Result<uint64_t> Unsigned(size_t bytes);
  Result<std::string> Line();
  Result<std::string> Bytes(uint64_t count);
  Value* New(Value::Kind kind);
  Status Push(Value* value);
  Value* Pop();
  Result<std::vector<Value*>> PopToMark();
  void Remember(uint64_t slot, Value* value);

  WeightCursor& cursor_;
  const PickleOf what_;
  std::deque<Value> values_;
  std::vector<Value*> stack_;
  std::vector<size_t> marks_;
  std::vector<Value*> memo_;
  size_t copied_ = 0;      ///< members of dicts that were made of lists or of other dicts
  size_t references_ = 0;  ///< put on the stack so far
  bool stopped_ = false;
};

}  // namespace imgmill
