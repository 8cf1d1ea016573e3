// What goes to stdout: whoever asked for it must learn that it did not arrive.
#pragma once

#include <string_view>

#include "imgmill/base/error.h"
#include "imgmill/base/result.h"
#include "imgmill/base/text_sink.h"

namespace imgmill {

/// Writes the text and what is still in the buffer. The error is in words, without a name.
Status PrintOut(const TextWriter& text);

/// The same; what cannot be printed is said on stderr.
/// @return `code`, or kCannot if something of this or of earlier text is missing there
ExitCode PrintOrComplain(std::string_view text, ExitCode code = ExitCode::kDone);

}  // namespace imgmill
