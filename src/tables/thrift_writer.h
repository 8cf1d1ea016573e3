// Thrift's compact protocol, in which Parquet writes its headers and its footer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imgmill {

/// Source: Apache Thrift, doc/specs/thrift-compact-protocol.md. Fields are written in order of their number.
class ThriftWriter {
 public:
  enum class Type : uint8_t {
    kTrue = 1,
    kFalse = 2,
    kI32 = 5,
    kI64 = 6,
    kBinary = 8,
    kList = 9,
    kStruct = 12
  };

  void Integer32(int field, int32_t value) { Integer(field, Type::kI32, value); }
  void Integer64(int field, int64_t value) { Integer(field, Type::kI64, value); }
  void Boolean(int field, bool value) { Header(field, value ? Type::kTrue : Type::kFalse); }
  void Binary(int field, std::string_view bytes);

  void BeginStruct(int field);
  void EndStruct();

  /// Elements follow: as many as announced.
  void BeginList(int field, Type type, size_t count);
  void Element(int32_t value) { Varint(ZigZag(value)); }
  void Element(std::string_view bytes);
  void BeginElement() { last_.push_back(0); }
  void EndElement() { EndStruct(); }

  /// Ends the outermost struct. @return all of it
  std::string Finish();

 private:
  static uint64_t ZigZag(int64_t value) {
    return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  }
  void Header(int field, Type type);
  void Integer(int field, Type type, int64_t value);
  void Varint(uint64_t value);

  std::string bytes_;
  std::vector<int> last_ = {0};  ///< field of each struct that is open
};

}  // namespace imgmill
