// Whether the parts of this installation work together: pixels out to a file and back, hashes, a catalog.
#pragma once

#include <string>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

struct SelfTestPart {
  std::string name;
  std::string what;  ///< in words, where it went well
  Status status;
};

/// Works in a folder of its own under $TMPDIR, which it removes. Takes well under a second.
std::vector<SelfTestPart> RunSelfTest();

}  // namespace imgmill
