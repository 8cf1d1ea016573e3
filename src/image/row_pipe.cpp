// A ring of rows under a mutex; turns the pushing of our callers into the pulling of libvips.
#include "row_pipe.h"

#include <algorithm>
#include <cstring>

#include "rows_image.h"

namespace imgmill {
namespace {

constexpr size_t kRingBytes = size_t{1} << 20;

Layout RingLayout(const Layout& layout) {
  Layout ring = layout;
  ring.height = std::clamp<int64_t>(static_cast<int64_t>(kRingBytes / layout.row_bytes()), 8,
                                    std::max<int64_t>(8, std::min<int64_t>(layout.height, 256)));
  return ring;
}

}  // namespace

RowPipe::RowPipe(const Layout& layout) : layout_(layout), ring_(RingLayout(layout)) {
  MeetVipsThreads();
}

// Orders itself after the last use by libvips' threads, whose end is known through libvips alone.
RowPipe::~RowPipe() {
  std::lock_guard lock(mutex_);
}

size_t RowPipe::BytesFor(const Layout& layout) {
  const Layout ring = RingLayout(layout);
  return ring.row_bytes() * static_cast<size_t>(ring.height);
}

bool RowPipe::Push(const uint8_t* rows, size_t stride, int64_t count) {
  std::unique_lock lock(mutex_);
  const int64_t room = ring_.layout().height;
  while (count > 0) {
    changed_.wait(lock, [&] { return closed_ || pushed_ - pulled_ < room; });
    if (closed_) return false;
    const int64_t now = std::min(count, room - (pushed_ - pulled_));
    for (int64_t i = 0; i < now; ++i, ++pushed_, rows += stride) {
      std::memcpy(ring_.row(pushed_ % room), rows, layout_.row_bytes());
    }
    count -= now;
    changed_.notify_all();
  }
  return true;
}

bool RowPipe::Pull(uint8_t* rows, size_t stride, int64_t count) {
  std::unique_lock lock(mutex_);
  const int64_t room = ring_.layout().height;
  while (count > 0) {
    if (!closed_ && pushed_ == pulled_) {
      // Others may wait to be alone with libvips: we do nothing there now.
      LeaveVipsUnowned();
      changed_.wait(lock, [&] { return closed_ || pushed_ > pulled_; });
      lock.unlock();
      EnterVipsUnowned();
      lock.lock();
    }
    if (closed_) return false;
    const int64_t now = std::min(count, pushed_ - pulled_);
    for (int64_t i = 0; i < now; ++i, ++pulled_, rows += stride) {
      std::memcpy(rows, ring_.row(pulled_ % room), layout_.row_bytes());
    }
    count -= now;
    changed_.notify_all();
  }
  return true;
}

void RowPipe::Close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

int RowPipe::Generate(VipsRegion* region, void* /*sequence*/, void* client, void* /*unused*/,
                      gboolean* /*stop*/) {
  MeetVipsThreads();
  RowPipe& pipe = *static_cast<RowPipe*>(client);
  const VipsRect& area = region->valid;
  // vips_sequential above asks for whole rows, in order.
  if (area.left != 0 || area.width != region->im->Xsize) return -1;
  return pipe.Pull(VIPS_REGION_ADDR_TOPLEFT(region), static_cast<size_t>(VIPS_REGION_LSKIP(region)),
                   area.height)
             ? 0
             : -1;
}

ImageRef RowPipe::Image() {
  ImageRef image(vips_image_new());
  vips_image_init_fields(image.get(), static_cast<int>(layout_.width), static_cast<int>(layout_.height),
                         layout_.bands, BandFormat(layout_.sample), VIPS_CODING_NONE,
                         InterpretationOf(layout_), 1, 1);
  if (vips_image_pipelinev(image.get(), VIPS_DEMAND_STYLE_THINSTRIP, nullptr) != 0 ||
      vips_image_generate(image.get(), nullptr, &Generate, nullptr, this, nullptr) != 0) {
    return {};
  }
  VipsImage* ordered = nullptr;
  if (vips_sequential(image.get(), &ordered, "tile_height", 16, nullptr) != 0) return {};
  return ImageRef(ordered);
}

}  // namespace imgmill
