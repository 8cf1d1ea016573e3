// The version that the library was built as.
#include "imgmill/version.h"

namespace imgmill {

std::string_view Version() {
  return IMGMILL_VERSION;
}

}  // namespace imgmill
