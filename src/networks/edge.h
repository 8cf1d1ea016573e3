// Here, and only here, exceptions become error codes.
#pragma once

#include <utility>

#include "imgmill/base/result.h"

namespace imgmill {

/// Names the exception in flight: kOutOfMemory for whatever a pool or device refuses, kDeviceLost for a
/// device that no longer works, kModelError for the rest. To be called within a catch block. Never throws.
Error TranslateException(Stage stage) noexcept;

/// The same, of what the pools and the standard library throw. May throw std::bad_alloc.
Error TranslateStandard(Stage stage);

/// Names the exception in flight, by whoever knows what his libraries throw.
using ExceptionTranslator = Error (*)(Stage stage);
/// By this one from then on, in place of TranslateStandard.
void TranslateBy(ExceptionTranslator translator) noexcept;

/// Calls `body` (which returns a Result or Status) and turns what it throws into an Error.
template <typename Body>
auto AtEdge(Stage stage, Body&& body) noexcept -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    return TranslateException(stage);
  }
}

}  // namespace imgmill
