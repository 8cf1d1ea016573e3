// The module's edge: here, and only here, exceptions become error codes.
#pragma once

#include <utility>

#include "imgmill/base/result.h"

namespace imgmill {

/// Names the exception in flight: kOutOfMemory for whatever a pool or device refuses, kDeviceLost for a
/// device that no longer works, kModelError for the rest. To be called within a catch block. Never throws.
Error TranslateException(Stage stage) noexcept;

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
