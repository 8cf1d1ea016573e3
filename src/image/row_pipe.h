// Rows from the thread that has them to the thread of an encoder that wants them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "imgmill/image/image.h"
#include "vips_session.h"

namespace imgmill {

/// A bounded ring of rows between one writer and libvips' threads. Nobody waits for ever: Close ends both
/// sides.
class RowPipe {
 public:
  /// `layout` of the whole image. @throws OutOfMemory
  explicit RowPipe(const Layout& layout);
  ~RowPipe();

  /// Copies rows in, waiting for room. False once closed.
  bool Push(const uint8_t* rows, size_t stride, int64_t count);
  /// No more rows will be pushed or are wanted.
  void Close();

  /// The receiving end: an image that takes each row once, top to bottom. Whoever waits in it for rows lays
  /// down an unowned share of libvips meanwhile. Null: libvips failed. The pipe must outlive it.
  ImageRef Image();

  /// Bytes of the ring.
  static size_t BytesFor(const Layout& layout);

 private:
  static int Generate(VipsRegion* region, void* sequence, void* client, void* unused, gboolean* stop);
  bool Pull(uint8_t* rows, size_t stride, int64_t count);

  Layout layout_;
  imgmill::Image ring_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t pushed_ = 0;
  int64_t pulled_ = 0;
  bool closed_ = false;
};

}  // namespace imgmill
