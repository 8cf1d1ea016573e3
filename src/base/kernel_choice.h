// Loops that are compiled for several instruction sets, and which of them this machine can run.
#pragma once

#include <string_view>
#include <vector>

namespace imgmill {

/// False on processors of other families.
inline bool MachineHasAvx2() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") != 0;
#else
  return false;
#endif
}

/// The tables of kernels that can be run here: the plain one first, and last the fastest.
/// @param plain, avx2  make a table of that name
template <typename Kernels>
std::vector<Kernels> PlainAndAvx2(Kernels (*plain)(std::string_view), Kernels (*avx2)(std::string_view)) {
  std::vector<Kernels> found = {plain("plain")};
  if (MachineHasAvx2()) found.push_back(avx2("avx2"));
  return found;
}

}  // namespace imgmill
