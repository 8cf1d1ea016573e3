// Byte sizes as people write them: "512MiB", "2G", "1.5 GB".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "imgmill/base/result.h"

namespace imgmill {

inline constexpr size_t kKiB = size_t{1} << 10;
inline constexpr size_t kMiB = size_t{1} << 20;
inline constexpr size_t kGiB = size_t{1} << 30;

/// Reads "123", "512KiB", "2G", "1.5GB". K, M, G and T alone and KiB... mean powers of 1024; KB, MB, GB and
/// TB powers of 1000; the letters' case does not matter. A kUsage error names what was wrong.
Result<size_t> ParseByteSize(std::string_view text);

/// "1.5 GiB", "349 MiB", "12 KiB", "800 B": three significant figures at most.
std::string FormatByteSize(size_t bytes);

}  // namespace imgmill
