// Types and lengths are checked before anything is believed.
#include "tables/thrift_reader.h"

namespace imgmill {
namespace {

// Of the compact protocol.
constexpr int kTrue = 1, kFalse = 2, kByte = 3, kI16 = 4, kI32 = 5, kI64 = 6, kDouble = 7, kBinary = 8,
              kListOf = 9, kSetOf = 10, kMapOf = 11, kStructOf = 12;

int64_t Unzigzag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

}  // namespace

uint8_t ThriftReader::Byte() {
  if (!ok_ || at_ >= bytes_.size()) return Fail(), uint8_t{0};
  return bytes_[at_++];
}

uint64_t ThriftReader::Varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = Byte();
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return Fail(), uint64_t{0};
}

void ThriftReader::BeginStruct() {
  if (type_ != kStructOf || depth_ >= kDeepest) return Fail();
  last_[++depth_] = 0;
}

int ThriftReader::NextField() {
  if (depth_ < 0) return Fail(), 0;
  const uint8_t byte = Byte();
  if (!ok_ || byte == 0) {
    type_ = kStructOf;  // of a list, the next one follows
    return --depth_, 0;
  }
  type_ = byte & 0x0F;
  const int distance = byte >> 4;
  const int64_t field = distance != 0 ? last_[depth_] + distance : Unzigzag(Varint());
  if (!ok_ || field <= 0 || field > 0x7FFF) return Fail(), --depth_, 0;
  return last_[depth_] = static_cast<int>(field);
}

int64_t ThriftReader::Integer() {
  if (type_ == kByte) return static_cast<int8_t>(Byte());
  if (type_ != kI16 && type_ != kI32 && type_ != kI64) return Fail(), 0;
  return Unzigzag(Varint());
}

bool ThriftReader::Boolean() {
  if (type_ != kTrue && type_ != kFalse) Fail();
  return type_ == kTrue;
}

std::string_view ThriftReader::Binary() {
  if (type_ != kBinary) return Fail(), std::string_view();
  const uint64_t length = Varint();
  if (!ok_ || length > bytes_.size() - at_) return Fail(), std::string_view();
  at_ += length;
  return {reinterpret_cast<const char*>(bytes_.data()) + at_ - length, length};
}

size_t ThriftReader::BeginList() {
  if (type_ != kListOf && type_ != kSetOf) return Fail(), size_t{0};
  const uint8_t byte = Byte();
  type_ = byte & 0x0F;
  const uint64_t count = byte >> 4 == 15 ? Varint() : byte >> 4;
  // Each element takes a byte at least.
  if (!ok_ || count > bytes_.size() - at_) return Fail(), size_t{0};
  return count;
}

void ThriftReader::Skip() {
  SkipValue(type_, 0);
}

void ThriftReader::SkipStruct(int depth) {
  while (ok_) {
    const uint8_t byte = Byte();
    if (byte == 0) return;
    if (byte >> 4 == 0) (void)Varint();
    SkipValue(byte & 0x0F, depth);
  }
}

/// Of a list or a map, where a boolean is a byte of its own.
void ThriftReader::SkipElement(int type, int depth) {
  if (type == kTrue || type == kFalse) {
    (void)Byte();
  } else {
    SkipValue(type, depth);
  }
}

void ThriftReader::SkipValue(int type, int depth) {
  if (depth > kDeepest) return Fail();
  switch (type) {
    case kTrue:
    case kFalse:
      return;
    case kByte:
      return (void)Byte();
    case kI16:
    case kI32:
    case kI64:
      return (void)Varint();
    case kDouble:
      for (int i = 0; i < 8; ++i) (void)Byte();
      return;
    case kBinary: {
      const uint64_t length = Varint();
      if (!ok_ || length > bytes_.size() - at_) return Fail();
      at_ += length;
      return;
    }
    case kListOf:
    case kSetOf: {
      type_ = type;
      const size_t count = BeginList();
      const int element = type_;
      for (size_t i = 0; ok_ && i < count; ++i) SkipElement(element, depth + 1);
      return;
    }
    case kMapOf: {
      const uint64_t count = Varint();
      if (!ok_ || count == 0) return;
      const uint8_t types = Byte();
      if (count > (bytes_.size() - at_) / 2) return Fail();  // a key and a value take a byte each at least
      for (uint64_t i = 0; ok_ && i < 2 * count; ++i)
        SkipElement(i % 2 == 0 ? types >> 4 : types & 0x0F, depth + 1);
      return;
    }
    case kStructOf:
      return SkipStruct(depth + 1);
    default:
      return Fail();
  }
}

}  // namespace imgmill
