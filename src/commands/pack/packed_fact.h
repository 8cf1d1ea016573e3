// Plain values as the bytes of a fact.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <type_traits>

namespace imgmill {

template <typename T>
std::string Packed(const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

/// False if there is no such fact, or one of another size.
template <typename T>
bool Unpack(const std::optional<std::string>& bytes, T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (!bytes || bytes->size() != sizeof value) return false;
  std::memcpy(&value, bytes->data(), sizeof value);
  return true;
}

}  // namespace imgmill
