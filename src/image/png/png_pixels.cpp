// Bands go round: filled by the caller, made by whoever is free, handed to the sink in order.
#include "png_pixels.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "png_chunk.h"
#include "png_row_filters.h"

namespace imgmill {
namespace {

/// Bytes of a band's rows, about: some milliseconds of work. Higher levels find more in longer ones.
constexpr size_t kFastBand = size_t{512} << 10;
constexpr size_t kThoroughBand = size_t{1} << 20;
/// So many bands make it worthwhile that one more is in work at once.
constexpr size_t kBandsAWorker = 8;

constexpr size_t kZlibHead = 2;

/// RFC 1950, 2.2: deflate, a window of 32 KiB, how hard was tried; a multiple of 31.
uint32_t ZlibHead(int level) {
  constexpr uint32_t kMethod = 0x7800;
  const uint32_t effort = level <= 1 ? 0 : level <= 5 ? 1 : level == 6 ? 2 : 3;
  const uint32_t head = kMethod | effort << 6;
  return head + 31 - head % 31;
}

}  // namespace

PngPixels::Shape::Shape(const Layout& layout, int level, int threads) {
  row_bytes = layout.row_bytes();
  pixel_bytes = static_cast<size_t>(layout.bands) * BytesPerSample(layout.sample);
  stride = row_bytes + kPngRowMargin;
  const size_t wanted = level <= 1 ? kFastBand : kThoroughBand;
  band_rows = std::clamp<int64_t>(static_cast<int64_t>(wanted / row_bytes), 1, layout.height);
  filtered_bytes = static_cast<size_t>(band_rows) * (row_bytes + 1) + BandDeflater::kReadBeyond;
  const size_t chunk = kPngChunkHead + kZlibHead + BandDeflater::Bound(filtered_bytes) + kPngChunkTail;
  band_bytes = std::max(static_cast<size_t>(band_rows + 1) * stride, chunk);
  const auto all = static_cast<size_t>((layout.height + band_rows - 1) / band_rows);
  workers = std::clamp<size_t>(all / kBandsAWorker, 1, static_cast<size_t>(std::max(1, threads)));
  bands = threads <= 1 ? 1 : std::min(all, workers + std::max<size_t>(2, workers / 2));
}

PngPixels::Tools::Tools(const Shape& shape, int level) : filtered(shape.filtered_bytes), deflater(level) {}

PngPixels::PngPixels(const Layout& layout, int level, int threads, ByteSink& sink)
    : layout_(layout),
      level_(level),
      shape_(layout, level, threads),
      with_crew_(shape_.bands > 1),
      sink_(sink),
      bands_(shape_.bands),
      above_(shape_.row_bytes) {
  for (Band& band : bands_) band.bytes = Buffer(shape_.band_bytes);
  tools_.reserve(shape_.workers);
  for (size_t i = 0; i < shape_.workers; ++i) free_tools_.push_back(&tools_.emplace_back(shape_, level));
  filling_ = bands_.data();
  Begin(*filling_, nullptr);
  if (with_crew_) WorkCrew::Get().Join();
}

PngPixels::~PngPixels() {
  if (!with_crew_) return;
  {
    const std::lock_guard lock(mutex_);
    refused_ = true;
  }
  WorkCrew::Get().Leave(*this);
}

size_t PngPixels::HeldBytes(const Layout& layout, int level, int threads) {
  const Shape shape(layout, level, threads);
  return shape.row_bytes + shape.bands * shape.band_bytes +
         shape.workers * (shape.filtered_bytes + BandDeflater::HeldBytes(level));
}

uint8_t* PngPixels::RowOf(Band& band, int64_t row) const {
  return band.bytes.data() + static_cast<size_t>(row + 1) * shape_.stride + kPngRowMargin;
}

void PngPixels::Begin(Band& band, const uint8_t* above) const {
  band.rows = 0;
  band.done = false;
  for (int64_t row = -1; row < shape_.band_rows; ++row)
    std::memset(RowOf(band, row) - kPngRowMargin, 0, kPngRowMargin);
  if (above != nullptr) {
    std::memcpy(RowOf(band, -1), above, shape_.row_bytes);
  } else {
    std::memset(RowOf(band, -1), 0, shape_.row_bytes);
  }
}

bool PngPixels::Put(const uint8_t* row) {
  uint8_t* const to = RowOf(*filling_, filling_->rows++);
  if (layout_.sample == Sample::kU16) {  // PNG has the high byte first
    for (size_t i = 0; i < shape_.row_bytes; i += 2) {
      uint16_t value = 0;
      std::memcpy(&value, row + i, sizeof value);
      value = static_cast<uint16_t>(value << 8 | value >> 8);
      std::memcpy(to + i, &value, sizeof value);
    }
  } else {
    std::memcpy(to, row, shape_.row_bytes);
  }
  ++rows_;
  if (filling_->rows < shape_.band_rows && rows_ < layout_.height) return true;
  filling_->first = rows_ == filling_->rows;
  filling_->last = rows_ == layout_.height;
  return Submit();
}

/// Gives the band that is full away, and takes another.
bool PngPixels::Submit() {
  Band& full = *filling_;
  const bool last = full.last;
  std::memcpy(above_.data(), RowOf(full, full.rows - 1), shape_.row_bytes);  // before it turns into a chunk
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(&full);
    ++submitted_;
  }
  if (with_crew_) WorkCrew::Get().Call(*this);
  if (last) return true;
  std::unique_lock lock(mutex_);
  bool worked = false;
  while (submitted_ - handed_over_ == bands_.size()) {
    if (WorkOnOne(lock)) {
      worked = true;
    } else {
      changed_.wait(lock);
    }
  }
  // Whoever came to help meanwhile may have found no tools.
  const bool call_again = with_crew_ && worked && !waiting_.empty();
  filling_ = &bands_[submitted_ % bands_.size()];
  const bool taken = !refused_;
  lock.unlock();
  if (call_again) WorkCrew::Get().Call(*this);
  Begin(*filling_, above_.data());
  return taken;
}

void PngPixels::Help() {
  std::unique_lock lock(mutex_);
  while (WorkOnOne(lock)) {
  }
}

/// Makes the oldest band that waits. False if there is none, or others use all tools.
bool PngPixels::WorkOnOne(std::unique_lock<std::mutex>& lock) {
  if (waiting_.empty() || free_tools_.empty()) return false;
  Band& band = *waiting_.front();
  waiting_.pop_front();
  Tools& tools = *free_tools_.back();
  free_tools_.pop_back();
  if (!refused_) {
    lock.unlock();
    Make(band, tools);
    lock.lock();
  }
  free_tools_.push_back(&tools);
  band.done = true;
  HandOver(lock);
  changed_.notify_all();
  return true;
}

/// Gives the sink what is done and next in order, unless another thread is at it: that one goes on.
void PngPixels::HandOver(std::unique_lock<std::mutex>& lock) {
  if (handing_over_) return;
  handing_over_ = true;
  while (handed_over_ < submitted_ && bands_[handed_over_ % bands_.size()].done) {
    Band& band = bands_[handed_over_ % bands_.size()];
    if (!refused_) {
      checksum_ = static_cast<uint32_t>(
          adler32_combine(checksum_, band.checksum, static_cast<z_off_t>(band.filtered_bytes)));
      lock.unlock();
      const bool taken = sink_.Take(band.chunk);
      lock.lock();
      refused_ = refused_ || !taken;
    }
    band.done = false;
    ++handed_over_;
    changed_.notify_all();
  }
  handing_over_ = false;
}

void PngPixels::Make(Band& band, Tools& tools) const {
  const PngRowKernels& kernels = BestPngRowKernels();
  uint8_t* to = tools.filtered.data();
  for (int64_t y = 0; y < band.rows; ++y) {
    const uint8_t* const row = RowOf(band, y);
    const uint8_t* const above = RowOf(band, y - 1);
    PngFilter filter = PngFilter::kNone;
    if (level_ > 0) filter = ChoosePngFilter(kernels.costs(row, above, shape_.row_bytes, shape_.pixel_bytes));
    *to++ = static_cast<uint8_t>(filter);
    kernels.filter(filter, row, above, shape_.row_bytes, shape_.pixel_bytes, to);
    to += shape_.row_bytes;
  }
  const uint8_t* const filtered = tools.filtered.data();
  band.filtered_bytes = static_cast<size_t>(to - filtered);
  band.checksum = libdeflate_adler32(1, filtered, band.filtered_bytes);
  uint8_t* const chunk = band.bytes.data();
  uint8_t* body = chunk + kPngChunkHead;
  if (band.first) {
    const uint32_t head = ZlibHead(level_);
    *body++ = static_cast<uint8_t>(head >> 8);
    *body++ = static_cast<uint8_t>(head);
  }
  body += tools.deflater.Deflate(filtered, band.filtered_bytes, band.last, body);
  const auto bytes = static_cast<size_t>(body - chunk) - kPngChunkHead;
  band.chunk = {chunk, ClosePngChunk(chunk, "IDAT", bytes)};
}

bool PngPixels::Finish() {
  {
    std::unique_lock lock(mutex_);
    while (handed_over_ < submitted_) {
      if (!WorkOnOne(lock)) changed_.wait(lock);
    }
    if (refused_) return false;
  }
  // The checksum of the whole is known last: a chunk of its own.
  uint8_t chunk[kPngChunkHead + 4 + kPngChunkTail];
  PutBigEndian32(checksum_, chunk + kPngChunkHead);
  return sink_.Take({chunk, ClosePngChunk(chunk, "IDAT", 4)});
}

}  // namespace imgmill
