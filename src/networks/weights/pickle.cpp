// The machine of the pickle protocol (opcodes as Python's pickletools lists them, protocols 2 to 5), cut down
// to what state dicts use.
#include "networks/weights/pickle.h"

#include <algorithm>
#include <cstdio>

#include "base/try.h"
#include "networks/weights/pickle_names.h"

namespace imgmill {
namespace {

using Kind = PickleValue::Kind;

Error Damaged(const std::string& what) {
  return WeightError("the pickle in it is damaged: " + what);
}

/// Each takes some 200 bytes, whatever its own length: a million is more than the largest networks' state
/// dicts have, and still little beside their tensors.
constexpr size_t kMostObjects = size_t{1} << 20;
/// Times that objects are put on the stack, and so into containers: a byte can do that once more.
constexpr size_t kMostReferences = 4 * kMostObjects;

constexpr size_t kLongestName = 1024;
constexpr const char* kLongName = "a name of more than 1024 letters";

Error UnknownOpcode(uint8_t opcode) {
  char hex[8];
  std::snprintf(hex, sizeof hex, "0x%02x", opcode);
  return WeightError(std::string("its pickle uses opcode ") + hex + ", which no state dict needs: refused");
}

}  // namespace

const PickleValue* PickleValue::Find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name->kind == Kind::kText && name->text == key) return value;
  }
  return nullptr;
}

Result<const PickleValue*> PickleReader::Read() {
  stack_.clear();
  marks_.clear();
  memo_.clear();
  stopped_ = false;
  while (!stopped_) {
    uint8_t opcode = 0;
    TRY(cursor_.Read(&opcode, 1));
    TRY(Step(opcode));
    const auto too_many = [](size_t most, const char* what) {
      return WeightError("its pickle makes more than " + std::to_string(most) + " " + what +
                         ", far more than a state dict needs: refused");
    };
    if (std::max(values_.size(), marks_.size()) > kMostObjects) return too_many(kMostObjects, "objects");
    if (references_ > kMostReferences) return too_many(kMostReferences, "references");
  }
  if (stack_.size() != 1 || !marks_.empty()) return Damaged("it does not end with one object");
  return stack_.back();
}

Status PickleReader::Step(uint8_t opcode) {
  switch (opcode) {
    case 0x80: {  // PROTO
      uint64_t version = TRY(Unsigned(1));
      if (version > 5)
        return WeightError("its pickle has protocol " + std::to_string(version) + ", newer than 5");
      return {};
    }
    case 0x95: {  // FRAME: a hint about the length, which is not needed
      Result<uint64_t> length = Unsigned(8);
      return length ? Status() : Status(length.error());
    }
    case '.':  // STOP
      stopped_ = true;
      return {};
    case '(':  // MARK
      marks_.push_back(stack_.size());
      return {};
    case '0':  // POP
      return Pop() != nullptr ? Status() : Status(Damaged("POP from an empty stack"));
    case 'N':  // NONE
      return Push(New(Kind::kNone));
    case 0x88:    // NEWTRUE
    case 0x89: {  // NEWFALSE
      Value* value = New(Kind::kBool);
      value->number = opcode == 0x88;
      return Push(value);
    }
    case 'K':    // BININT1
    case 'M':    // BININT2
    case 'J': {  // BININT, signed
      uint64_t bits = TRY(Unsigned(opcode == 'K' ? 1 : opcode == 'M' ? 2 : 4));
      Value* value = New(Kind::kInt);
      value->number = opcode == 'J' ? static_cast<int32_t>(bits) : static_cast<int64_t>(bits);
      return Push(value);
    }
    case 0x8a:  // LONG1
      return PushLong(1);
    case 0x8b:  // LONG4
      return PushLong(4);
    case 'G': {  // BINFLOAT: no state dict's tensors depend on one, so that it is enough to step over it
      Result<uint64_t> bits = Unsigned(8);
      return bits ? Push(New(Kind::kFloat)) : Status(bits.error());
    }
    case 'X':  // BINUNICODE
    case 'T':  // BINSTRING
    case 'B':  // BINBYTES
      return PushText(4);
    case 0x8c:  // SHORT_BINUNICODE
    case 'U':   // SHORT_BINSTRING
    case 'C':   // SHORT_BINBYTES
      return PushText(1);
    case 0x8d:  // BINUNICODE8
    case 0x8e:  // BINBYTES8
    case 0x96:  // BYTEARRAY8
      return PushText(8);
    case ')':  // EMPTY_TUPLE
      return Push(New(Kind::kTuple));
    case ']':  // EMPTY_LIST
      return Push(New(Kind::kList));
    case '}':  // EMPTY_DICT
      return Push(New(Kind::kDict));
    case 0x85:    // TUPLE1
    case 0x86:    // TUPLE2
    case 0x87: {  // TUPLE3
      const size_t count = opcode - 0x84u;
      const size_t floor = marks_.empty() ? 0 : marks_.back();
      if (stack_.size() - floor < count) return Damaged("a tuple of more items than the stack holds");
      Value* tuple = New(Kind::kTuple);
      tuple->items.assign(stack_.end() - static_cast<ptrdiff_t>(count), stack_.end());
      stack_.resize(stack_.size() - count);
      return Push(tuple);
    }
    case 't': {  // TUPLE
      std::vector<Value*> items = TRY(PopToMark());
      Value* tuple = New(Kind::kTuple);
      tuple->items = std::move(items);
      return Push(tuple);
    }
    case 'a':  // APPEND
    case 'e':  // APPENDS
    case 's':  // SETITEM
    case 'u':  // SETITEMS
      return Fill(static_cast<char>(opcode));
    case 'q':    // BINPUT
    case 'r': {  // LONG_BINPUT
      uint64_t slot = TRY(Unsigned(opcode == 'q' ? 1 : 4));
      if (stack_.empty() || slot > values_.size()) return Damaged("a memo of an empty stack");
      Remember(slot, stack_.back());
      return {};
    }
    case 0x94:  // MEMOIZE
      if (stack_.empty()) return Damaged("a memo of an empty stack");
      Remember(memo_.size(), stack_.back());
      return {};
    case 'h':    // BINGET
    case 'j': {  // LONG_BINGET
      uint64_t slot = TRY(Unsigned(opcode == 'h' ? 1 : 4));
      if (slot >= memo_.size() || memo_[slot] == nullptr) return Damaged("an unknown memo");
      return Push(memo_[slot]);
    }
    case 'c': {  // GLOBAL
      std::string module = TRY(Line());
      std::string name = TRY(Line());
      return PushGlobal(std::move(module), std::move(name));
    }
    case 0x93: {  // STACK_GLOBAL
      Value* name = Pop();
      Value* module = Pop();
      if (module == nullptr || name->kind != Kind::kText || module->kind != Kind::kText) {
        return Damaged("a global without a name");
      }
      if (module->text.size() + name->text.size() > kLongestName) return Damaged(kLongName);
      TRY(PushGlobal(module->text, name->text));
      // Few bytes can join the same long texts again and again.
      Value* pushed = stack_.back();
      pushed->items = {module, name};
      if (pushed->kind == Kind::kOpaque) pushed->text = std::string();
      return {};
    }
    case 'R':   // REDUCE
    case 0x81:  // NEWOBJ
      return Reduce();
    case 0x92:  // NEWOBJ_EX: with named arguments
      if (Pop() == nullptr) return Damaged("too few objects on the stack");
      return Reduce();
    case 'i': {  // INST: the class in the opcode, the arguments on the stack
      std::string module = TRY(Line());
      std::string name = TRY(Line());
      TRY(PopToMark());
      TRY(PushGlobal(std::move(module), std::move(name)));
      return PushOpaque(Pop());
    }
    case 'o': {  // OBJ: class and arguments on the stack
      std::vector<Value*> items = TRY(PopToMark());
      if (items.empty() || items[0]->kind != Kind::kOpaque) return Damaged("an object without a class");
      return PushOpaque(items[0]);
    }
    case 0x82:    // EXT1
    case 0x83:    // EXT2
    case 0x84: {  // EXT4: a name by its number in a registry that only the program has
      TRY(Unsigned(size_t{1} << (opcode - 0x82)));
      return PushOpaque(nullptr);
    }
    case 0x8f:  // EMPTY_SET
      return PushOpaque(nullptr);
    case 0x90:  // ADDITEMS
      TRY(PopToMark());
      return stack_.empty() ? Status(Damaged("items for an object that is not a container")) : Status();
    case 0x91:  // FROZENSET
      TRY(PopToMark());
      return PushOpaque(nullptr);
    case '2':  // DUP
      if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size()))
        return Damaged("too few objects on the stack");
      return Push(stack_.back());
    case '1':  // POP_MARK
      TRY(PopToMark());
      return {};
    case 'b':  // BUILD
      return Build();
    case 'Q':  // BINPERSID
      return PersistentId();
    default:
      return UnknownOpcode(opcode);
  }
}

Status PickleReader::Fill(char opcode) {
  std::vector<Value*> items;
  if (opcode == 'e' || opcode == 'u') {
    std::vector<Value*> popped = TRY(PopToMark());
    items = std::move(popped);
  } else {
    for (int i = 0; i < (opcode == 'a' ? 1 : 2); ++i) {
      Value* value = Pop();
      if (value == nullptr) return Damaged("too few objects on the stack");
      items.insert(items.begin(), value);
    }
  }
  Value* target =
      stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size()) ? nullptr : stack_.back();
  if (target != nullptr && target->kind == Kind::kOpaque) return {};  // of a class made from dict or list
  const bool list = opcode == 'a' || opcode == 'e';
  if (target == nullptr || target->kind != (list ? Kind::kList : Kind::kDict)) {
    return Damaged("items for an object that is not a container");
  }
  if (list) {
    target->items.insert(target->items.end(), items.begin(), items.end());
    return {};
  }
  if (items.size() % 2 != 0) return Damaged("a key without a value");
  for (size_t i = 0; i < items.size(); i += 2) target->members.emplace_back(items[i], items[i + 1]);
  return {};
}

Status PickleReader::PushText(size_t length_bytes) {
  uint64_t length = TRY(Unsigned(length_bytes));
  std::string bytes = TRY(Bytes(length));
  Value* value = New(Kind::kText);
  value->text = std::move(bytes);
  return Push(value);
}

Status PickleReader::PushLong(size_t length_bytes) {
  uint64_t length = TRY(Unsigned(length_bytes));
  const Result<std::string> bytes = Bytes(length);
  if (!bytes) return bytes.error();
  // Little-endian two's complement. Beyond 64 bits only the magic number of old files goes, which its reader
  // has compared byte by byte before.
  uint64_t bits = 0;
  const bool negative = !bytes->empty() && (static_cast<uint8_t>(bytes->back()) & 0x80) != 0;
  if (negative) bits = ~uint64_t{0};
  for (size_t i = std::min<size_t>(bytes->size(), 8); i-- > 0;) {
    bits = bits << 8 | static_cast<uint8_t>((*bytes)[i]);
  }
  Value* value = New(Kind::kInt);
  value->number = static_cast<int64_t>(bits);
  return Push(value);
}

Result<uint64_t> PickleReader::Unsigned(size_t bytes) {
  uint8_t raw[8];
  TRY(cursor_.Read(raw, bytes));
  uint64_t number = 0;
  for (size_t i = bytes; i-- > 0;) number = number << 8 | raw[i];
  return number;
}

Result<std::string> PickleReader::Line() {
  std::string line;
  while (line.size() < kLongestName) {
    char c = 0;
    TRY(cursor_.Read(&c, 1));
    if (c == '\n') return line;
    line += c;
  }
  return Damaged(kLongName);
}

Result<std::string> PickleReader::Bytes(uint64_t count) {
  if (count > cursor_.left()) return Damaged("it ends within a string");
  std::string bytes(static_cast<size_t>(count), '\0');
  TRY(cursor_.Read(bytes.data(), bytes.size()));
  return bytes;
}

PickleValue* PickleReader::New(Value::Kind kind) {
  values_.emplace_back().kind = kind;
  return &values_.back();
}

Status PickleReader::Push(Value* value) {
  ++references_;
  stack_.push_back(value);
  return {};
}

PickleValue* PickleReader::Pop() {
  const size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) return nullptr;
  Value* value = stack_.back();
  stack_.pop_back();
  return value;
}

Result<std::vector<PickleValue*>> PickleReader::PopToMark() {
  if (marks_.empty()) return Damaged("no mark on the stack");
  std::vector<Value*> items(stack_.begin() + static_cast<ptrdiff_t>(marks_.back()), stack_.end());
  stack_.resize(marks_.back());
  marks_.pop_back();
  return items;
}

void PickleReader::Remember(uint64_t slot, Value* value) {
  // Slots are numbered by the objects made so far, so the memo cannot outgrow the pickle.
  if (slot >= memo_.size()) memo_.resize(static_cast<size_t>(slot) + 1, nullptr);
  memo_[static_cast<size_t>(slot)] = value;
}

}  // namespace imgmill
