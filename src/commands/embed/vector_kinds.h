// What made the vectors of a catalog, in words for messages.
#pragma once

#include <string>

#include "imgmill/base/error.h"

namespace imgmill {

/// "builtin/1", or "weights/1 0123... 224x224 ..." without most of the digest.
std::string KindText(const std::string& kind);
/// kUsage: there are none of this kind, but of those that are named.
Error NoVectors(const std::string& catalog, const std::string& kind);

}  // namespace imgmill
