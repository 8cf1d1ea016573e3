// Pictures inside of a page, so that it is one file.
#pragma once

#include <string>

namespace imgmill {

/// The bytes of a JPEG file as a data: URI; empty for none.
std::string JpegUri(const std::string& jpeg);

}  // namespace imgmill
