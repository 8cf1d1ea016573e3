// Fuzzes what is read of ICC profiles.
#include "image/icc_profile.h"

#include "fuzz/input_file.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::vector<uint8_t> profile(data, data + bytes);
  const ProfileSpace space = SpaceOfProfile(profile);
  if (IsPlainSrgb(profile)) fuzz::Require(space == ProfileSpace::kRgb);
  return 0;
}
