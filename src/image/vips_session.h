// How this module may call libvips from many threads: a gate that keeps the one global error buffer apart,
// and owning references to its objects.
#pragma once

#include <vips/vips.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "imgmill/base/error.h"
#include "imgmill/base/image_format.h"

namespace imgmill {

/// Owns one reference of a GObject (VipsImage, VipsSource, VipsRegion, ...).
template <typename T>
class GRef {
 public:
  GRef() = default;
  explicit GRef(T* object) : object_(object) {}
  ~GRef() { reset(); }
  GRef(GRef&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  GRef& operator=(GRef&& other) noexcept {
    if (this != &other) {
      reset();
      object_ = std::exchange(other.object_, nullptr);
    }
    return *this;
  }
  void reset() {
    if (object_ != nullptr) g_object_unref(object_);
    object_ = nullptr;
  }
  T* get() const { return object_; }
  T* release() { return std::exchange(object_, nullptr); }
  /// For C functions that return a new reference through a pointer.
  T** out() {
    reset();
    return &object_;
  }
  /// A second reference to the same object.
  GRef share() const {
    if (object_ != nullptr) g_object_ref(object_);
    return GRef(object_);
  }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

using ImageRef = GRef<VipsImage>;

/// A copy of bytes that the image carries, such as VIPS_META_ICC_NAME; empty where it has none of that name.
std::vector<uint8_t> BlobOf(VipsImage* image, const char* name);

/// While one lives, this thread may call libvips, along with others. Nests.
class VipsShared {
 public:
  VipsShared();
  ~VipsShared();
  VipsShared(const VipsShared&) = delete;
  VipsShared& operator=(const VipsShared&) = delete;
};

/// While one lives, this thread alone calls libvips: the error buffer then holds only its own messages.
/// Shares that the thread holds are laid down meanwhile.
class VipsAlone {
 public:
  VipsAlone();
  ~VipsAlone();
  VipsAlone(const VipsAlone&) = delete;
  VipsAlone& operator=(const VipsAlone&) = delete;

 private:
  int laid_down_;
};

/// A share of libvips for work that it spreads over threads of its own (an encoder): entered on one thread,
/// left and entered again on another while it waits for rows.
void EnterVipsUnowned();
void LeaveVipsUnowned();

/// Called by us once an object that libvips' threads will call back is built, and by them before they touch
/// it. libvips orders this by locks of its own, which the thread sanitizer cannot see; this one it can.
void MeetVipsThreads();

/// Runs `attempt` (which calls libvips and returns whether it succeeded) alone, and tells what libvips said
/// if it failed again; `what` if it did not or said nothing. Called after a failure under VipsShared, whose
/// message may be mixed with those of other threads.
Error DiagnoseAlone(Stage stage, const std::string& what, const std::function<bool()>& attempt);

/// The first lines of the error buffer as one, and the code that they amount to. Call under VipsAlone.
Error TakeVipsError(Stage stage, const std::string& otherwise);

/// What the class names of its loaders begin with.
inline constexpr char kVipsLoader[] = "VipsForeignLoad";

/// Loads libvips' HEIF or JPEG XL module for a file that begins as that.
void LoadModuleFor(ImageFormat format);

}  // namespace imgmill
