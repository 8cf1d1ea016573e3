// What Thrift's compact protocol holds, field by field, from bytes that may be anyone's.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace imgmill {

/// After the first thing that is wrong it is not ok(), and gives zeros and ends.
///
///     while (const int field = reader.NextField()) {
///       if (field == 3) rows = reader.Integer(); else reader.Skip();
///     }
class ThriftReader {
 public:
  explicit ThriftReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  /// Bytes that were read.
  size_t position() const { return at_; }

  void BeginStruct();
  /// The number of the next field of the innermost struct; 0 at its end, which ends it.
  int NextField();
  void Skip();

  // The field's value, or a list's element; what has another type is wrong.
  int64_t Integer();
  bool Boolean();
  std::string_view Binary();
  /// How many elements follow; each is read by the function of its type, a struct after BeginStruct.
  size_t BeginList();

 private:
  static constexpr int kDeepest = 16;

  void Fail() { ok_ = false; }
  uint8_t Byte();
  uint64_t Varint();
  void SkipValue(int type, int depth);
  void SkipElement(int type, int depth);
  void SkipStruct(int depth);

  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
  bool ok_ = true;
  int type_ = 12;  ///< of the value that comes next: the outermost struct
  int last_[kDeepest + 1] = {};
  int depth_ = -1;
};

}  // namespace imgmill
