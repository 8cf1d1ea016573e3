// Signals as the catalog keeps them: "name/version", a zero byte, eight bytes of a double; one after the
// other.
#include <cstring>
#include <limits>

#include "imgmill/signals/signal_set.h"

namespace imgmill {
namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

/// The value filed under `name`; nothing if there is none of that name.
std::optional<double> Find(std::string_view bytes, std::string_view name) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\0');
    if (end == std::string_view::npos || bytes.size() - end - 1 < sizeof(double)) return std::nullopt;
    if (bytes.substr(0, end) == name) {
      double value = 0;
      std::memcpy(&value, bytes.data() + end + 1, sizeof value);
      return value;
    }
    bytes.remove_prefix(end + 1 + sizeof(double));
  }
  return std::nullopt;
}

}  // namespace

std::string PackSignals(const SignalValues& values, SignalSet wanted) {
  std::string bytes;
  for (const SignalInfo& info : AllSignals()) {
    if (!wanted.Contains(info.signal)) continue;
    const double value = values[info.signal].value_or(kNoValue);
    bytes += VersionedName(info.signal);
    bytes += '\0';
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return bytes;
}

bool UnpackSignals(std::string_view bytes, SignalSet wanted, SignalValues& values) {
  SignalValues found = values;
  for (const SignalInfo& info : AllSignals()) {
    if (!wanted.Contains(info.signal)) continue;
    const std::optional<double> value = Find(bytes, VersionedName(info.signal));
    if (!value) return false;
    found[info.signal] = *value == *value ? value : std::nullopt;
  }
  values = found;
  return true;
}

}  // namespace imgmill
