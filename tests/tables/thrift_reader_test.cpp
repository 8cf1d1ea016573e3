// Values that a reader passes over, by Thrift's compact protocol
// (github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md), in bytes by hand.
#include "tables/thrift_reader.h"

#include <doctest/doctest.h>

#include <vector>

using namespace imgmill;

namespace {

/// Whether field 1 can be skipped, and the struct ends behind it.
bool Skips(const std::vector<uint8_t>& bytes) {
  ThriftReader reader(bytes);
  reader.BeginStruct();
  if (reader.NextField() != 1) return false;
  reader.Skip();
  return reader.NextField() == 0 && reader.ok() && reader.position() == bytes.size();
}

}  // namespace

TEST_CASE("a map is skipped entry by entry, a boolean in it being a byte") {
  CHECK(Skips({0x1B, 0x02, 0x11, 1, 2, 2, 1, 0}));    // two of booleans to booleans
  CHECK(Skips({0x1B, 0x01, 0x58, 0x04, 1, 'x', 0}));  // one of an integer to bytes
  CHECK(Skips({0x1B, 0x00, 0}));
}

TEST_CASE("a map or list of more elements than there are bytes is refused at once") {
  for (const uint8_t types : std::vector<uint8_t>{0x11, 0x12, 0x58})
    CHECK_FALSE(Skips({0x1B, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, types, 0}));  // 2^40
  CHECK_FALSE(Skips({0x19, 0xF1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0}));
}
