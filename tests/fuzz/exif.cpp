// Fuzzes what is read of EXIF.
#include "image/exif.h"

#include <vector>

#include "fuzz/input_file.h"
#include "image/photo_facts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::vector<uint8_t> exact(data, data + bytes);  // so that one byte too far is seen
  const int orientation = imgmill::ExifOrientation(exact.data(), exact.size());
  fuzz::Require(orientation >= 1 && orientation <= 8);
  const imgmill::PhotoFacts facts = imgmill::PhotoFactsOf(exact);
  for (const std::string& text : facts.texts)
    fuzz::Require(text.size() <= 800);  // 200 bytes, as \xHH at most
  for (const auto& value :
       {facts.iso, facts.exposure_time, facts.f_number, facts.focal_length, facts.orientation})
    fuzz::Require(!value || *value > 0);
  if (facts.date) fuzz::Require(imgmill::DateText(*facts.date).size() == 19);
  return 0;
}
