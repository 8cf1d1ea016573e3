// What a pax header says of the member behind it.
#pragma once

#include <optional>
#include <string_view>

namespace imgmill::tar {

struct PaxRecord {
  std::string_view key, value;
};

/// Takes the first record, "LENGTH KEY=VALUE\n" (POSIX.1-2001), away from `text`, which is not empty.
/// Nothing, and `text` stays as it is, where none begins there.
std::optional<PaxRecord> TakePaxRecord(std::string_view& text);

}  // namespace imgmill::tar
