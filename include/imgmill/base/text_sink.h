// Where a text goes that is made piece by piece.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "imgmill/base/result.h"

namespace imgmill {

/// Takes the next piece; an error once it cannot be written, which ends the text.
using TextSink = std::function<Status(std::string_view)>;

/// Makes a text, as often as it is asked to.
using TextWriter = std::function<Status(const TextSink&)>;

/// One that is there already.
inline TextWriter WholeText(std::string text) {
  return [text = std::move(text)](const TextSink& put) { return put(text); };
}

}  // namespace imgmill
