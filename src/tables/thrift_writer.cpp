// Fields by the distance to the one before, numbers by seven bits a byte.
#include "tables/thrift_writer.h"

namespace imgmill {
namespace {

/// Longer distances and lists have a number of their own behind the byte.
constexpr int kLongestShort = 15;

}  // namespace

void ThriftWriter::Varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
  bytes_ += static_cast<char>(value);
}

void ThriftWriter::Header(int field, Type type) {
  const int distance = field - last_.back();
  if (distance > 0 && distance <= kLongestShort) {
    bytes_ += static_cast<char>(distance << 4 | static_cast<int>(type));
  } else {
    bytes_ += static_cast<char>(type);
    Varint(ZigZag(field));
  }
  last_.back() = field;
}

void ThriftWriter::Integer(int field, Type type, int64_t value) {
  Header(field, type);
  Varint(ZigZag(value));
}

void ThriftWriter::Binary(int field, std::string_view bytes) {
  Header(field, Type::kBinary);
  Element(bytes);
}

void ThriftWriter::Element(std::string_view bytes) {
  Varint(bytes.size());
  bytes_ += bytes;
}

void ThriftWriter::BeginStruct(int field) {
  Header(field, Type::kStruct);
  last_.push_back(0);
}

void ThriftWriter::EndStruct() {
  bytes_ += '\0';
  last_.pop_back();
}

void ThriftWriter::BeginList(int field, Type type, size_t count) {
  Header(field, Type::kList);
  const bool is_short = count < kLongestShort;
  bytes_ += static_cast<char>((is_short ? count : kLongestShort) << 4 | static_cast<size_t>(type));
  if (!is_short) Varint(count);
}

std::string ThriftWriter::Finish() {
  EndStruct();
  return std::move(bytes_);
}

}  // namespace imgmill
