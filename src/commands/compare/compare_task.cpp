// The engine brings the image's rows; the partner's are read beside them, a strip at a time.
#include "compare_task.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/try.h"
#include "commands/pair_pictures.h"
#include "commands/paired_source.h"
#include "imgmill/image/writer.h"

namespace imgmill {
namespace {

constexpr int64_t kStripRows = 64;

/// Rows of a file from the top, one after the other.
class RowStrip {
 public:
  explicit RowStrip(std::unique_ptr<RowReader> reader)
      : reader_(std::move(reader)), strip_(StripOf(reader_->layout())) {}

  /// A row at or below the last one that was asked for.
  Result<const uint8_t*> Row(int64_t y) {
    while (y >= end_) TRY(ReadStrip());
    return static_cast<const uint8_t*>(strip_.row(y - first_));
  }
  /// So that a file that is cut short is refused wherever the last row lies that was needed.
  Status ReadRest() {
    while (end_ < reader_->layout().height) TRY(ReadStrip());
    return {};
  }
  const Layout& layout() const { return reader_->layout(); }
  const std::vector<std::string>& notes() const { return reader_->notes(); }

  static Layout StripOf(Layout layout) {
    layout.height = std::min(layout.height, kStripRows);
    return layout;
  }
  static size_t PooledBytes(const Layout& layout) {
    const Layout strip = StripOf(layout);
    return strip.row_bytes() * static_cast<size_t>(strip.height);
  }

 private:
  Status ReadStrip() {
    const int64_t rows = std::min(kStripRows, reader_->layout().height - end_);
    TRY(reader_->Read(rows, strip_.row(0), strip_.layout().row_bytes()));
    first_ = end_;
    end_ += rows;
    return {};
  }

  std::unique_ptr<RowReader> reader_;
  Image strip_;
  int64_t first_ = 0, end_ = 0;
};

/// The partner as it is compared: of the image's size.
Layout PartnerLayout(const Item& item, const CompareTaskParts& parts) {
  Layout layout = ReadLayout(item.partner().header, parts.reading);
  if (parts.resize.empty()) return layout;
  layout.width = item.main.header.upright_width();
  layout.height = item.main.header.upright_height();
  return layout;
}

Result<std::unique_ptr<RowReader>> OpenPartner(const Item& item, const CompareTaskParts& parts) {
  const SourceFile& partner = item.partner();
  const ImageHeader& main = item.main.header;
  Result<std::unique_ptr<RowReader>> rows =
      parts.resize.empty() ? OpenRows(partner.path, partner.header, parts.reading)
                           : OpenRowsOfSize(partner.path, partner.header, parts.reading, main.upright_width(),
                                            main.upright_height(), parts.resize);
  if (!rows) return OfPartner(partner.path, rows.error());
  return rows;
}

Footprint PartnerFootprint(const Item& item, const CompareTaskParts& parts) {
  const ImageHeader& main = item.main.header;
  return parts.resize.empty() ? ReadFootprint(item.partner().header, parts.reading)
                              : ResizeFootprint(item.partner().header, parts.reading, main.upright_width(),
                                                main.upright_height());
}

PairShape ShapeOf(const Item& item, const CompareTaskParts& parts) {
  return ShapeOf(ReadLayout(item.main.header, parts.reading), PartnerLayout(item, parts));
}

/// Where what both show lies in each.
struct Overlap {
  int64_t x = 0, y = 0;                  ///< in the image
  int64_t partner_x = 0, partner_y = 0;  ///< in the partner
  int64_t width = 0, height = 0;
};

Overlap OverlapOf(const PairShape& whole, const Shift& shift, int64_t border) {
  Overlap overlap;
  overlap.x = std::max<int64_t>(0, -shift.dx) + border;
  overlap.y = std::max<int64_t>(0, -shift.dy) + border;
  overlap.partner_x = overlap.x + shift.dx;
  overlap.partner_y = overlap.y + shift.dy;
  overlap.width = whole.width - std::abs(shift.dx) - 2 * border;
  overlap.height = whole.height - std::abs(shift.dy) - 2 * border;
  return overlap;
}

bool HasLpips(const PairShape& shape, const CompareTaskParts& parts) {
  return parts.lpips != nullptr && std::min(shape.width, shape.height) >= LpipsMeter::kSmallestSide;
}

/// Reads the square of `rows` that shifts are found by.
Status ReadSquare(std::unique_ptr<RowReader> reader, ShiftFinder& finder,
                  void (ShiftFinder::*add)(const PlaneRow&)) {
  RowStrip strip(std::move(reader));
  PlaneRows planes(strip.layout(), finder.square());
  for (int64_t y = finder.first_row(); y < finder.first_row() + finder.side(); ++y) {
    const uint8_t* const row = TRY(strip.Row(y));
    (finder.*add)(planes.Take(row, finder.first_column()));
  }
  return {};
}

Result<Shift> FindShift(const Item& item, const CompareTaskParts& parts, const PairShape& whole) {
  ShiftFinder finder(whole);
  std::unique_ptr<RowReader> own = TRY(OpenRows(item.main.path, item.main.header, parts.reading));
  TRY(ReadSquare(std::move(own), finder, &ShiftFinder::AddFirst));
  std::unique_ptr<RowReader> partner = TRY(OpenPartner(item, parts));
  const Status read = ReadSquare(std::move(partner), finder, &ShiftFinder::AddSecond);
  if (!read) return OfPartner(item.partner().path, read.error());
  return finder.Find();
}

class CompareTask final : public ItemTask {
 public:
  CompareTask(const Item& item, const CompareTaskParts& parts, std::unique_ptr<RowReader> partner,
              const PairShape& whole, const Shift& shift)
      : item_(item),
        shift_(shift),
        overlap_(OverlapOf(whole, shift, parts.crop_border)),
        shape_(Cut(whole, overlap_)),
        partner_(std::move(partner)),
        own_planes_(ReadLayout(item.main.header, parts.reading), shape_),
        partner_planes_(partner_.layout(), shape_),
        meter_(shape_, parts.metrics) {
    if (parts.pictures) pictures_.emplace(shape_);
    if (HasLpips(shape_, parts)) lpips_.emplace(shape_, *parts.lpips);
  }

  Status Map(const Region& region) override {
    for (int64_t r = 0; r < region.own_rows; ++r) {
      const int64_t y = region.first_row + r - overlap_.y;
      if (y < 0 || y >= shape_.height) continue;
      const Result<const uint8_t*> other = partner_.Row(y + overlap_.partner_y);
      if (!other) return OfPartner(item_.partner().path, other.error());
      const PlaneRow a = own_planes_.Take(region.view.row(region.context_above + r), overlap_.x);
      const PlaneRow b = partner_planes_.Take(*other, overlap_.partner_x);
      meter_.Add(a, b);
      if (lpips_) TRY(lpips_->meter.Add(a, b));
      if (pictures_) pictures_->Add(a, b);
    }
    return {};
  }

  Status ReadRest() override {
    const Status read = partner_.ReadRest();
    return read ? Status() : OfPartner(item_.partner().path, read.error());
  }

  Status Finish(Outcome& outcome) override {
    auto payload = std::make_unique<ComparePayload>();
    payload->partner = item_.partner().path;
    payload->width = item_.main.header.upright_width();
    payload->height = item_.main.header.upright_height();
    payload->measured = {meter_.Finish(), shape_.width, shape_.height, shift_};
    payload->measured.shift.reliable |= payload->measured.figures.equal;  // of one colour nothing stands out
    if (!payload->measured.figures.finite) {
      return Error{Stage::kCompute, Code::kMalformed,
                   "it or its partner has samples that are infinite or NaN"};
    }
    if (lpips_) {
      const double distance = lpips_->meter.Finish();
      if (!std::isfinite(distance))
        return Error{Stage::kCompute, Code::kModelError,
                     "the network of --lpips gives values that are infinite or NaN"};
      payload->measured.figures[Metric::kLpips] = distance;
      outcome.rung = std::max(outcome.rung, lpips_->meter.rung());
    }
    if (pictures_) {
      PairPictureFiles files = TRY(pictures_->Finish());
      payload->pictures = std::move(files);
    }
    for (const std::string& note : partner_.notes()) outcome.notes.push_back("its partner: " + note);
    outcome.payload = std::move(payload);
    return {};
  }

 private:
  struct Lpips {
    Lpips(const PairShape& shape, const LpipsNetwork& network)
        : visit(network.scheduler()), meter(shape, network) {}
    BatchScheduler::Visit visit;
    LpipsMeter meter;
  };

  static PairShape Cut(PairShape shape, const Overlap& overlap) {
    shape.width = overlap.width;
    shape.height = overlap.height;
    return shape;
  }

  const Item& item_;
  const Shift shift_;
  const Overlap overlap_;
  const PairShape shape_;
  RowStrip partner_;
  PlaneRows own_planes_, partner_planes_;
  PairMeter meter_;
  std::optional<PairPictures> pictures_;
  std::optional<Lpips> lpips_;
};

}  // namespace

Status LeavesPixels(int64_t width, int64_t height, const CompareTaskParts& parts) {
  const int64_t side = std::min(width, height);
  if (side <= 2 * parts.crop_border) {
    return Error{Stage::kProbe, Code::kConflict,
                 "nothing of its " + std::to_string(width) + "x" + std::to_string(height) +
                     " pixels is left inside of --crop-border " + std::to_string(parts.crop_border)};
  }
  if (parts.align && side < ShiftFinder::kSmallestSide) {
    return Error{Stage::kProbe, Code::kUnsupported,
                 "it is smaller than " + std::to_string(ShiftFinder::kSmallestSide) +
                     " pixels, too small for --align"};
  }
  return {};
}

Footprint CompareCost(const Item& item, const CompareTaskParts& parts) {
  const PairShape shape = ShapeOf(item, parts);
  const Layout own = ReadLayout(item.main.header, parts.reading);
  const Layout partner = PartnerLayout(item, parts);
  Footprint cost = PartnerFootprint(item, parts);
  cost.pooled += RowStrip::PooledBytes(partner) + 2 * PlaneRows::PooledBytes(shape) +
                 PairMeter::PooledBytes(shape, parts.metrics);
  cost.untracked += 32 * 1024;
  if (parts.pictures) cost = cost + PairPictures::Cost(shape);
  if (HasLpips(shape, parts)) cost.pooled += LpipsMeter::PooledBytes(shape);
  if (!parts.align) return cost;
  Footprint finding = Larger(ReadFootprint(item.main.header, parts.reading), PartnerFootprint(item, parts));
  finding.pooled += std::max(RowStrip::PooledBytes(own), RowStrip::PooledBytes(partner)) +
                    PlaneRows::PooledBytes(shape) + ShiftFinder::PooledBytes(shape);
  finding.untracked += 32 * 1024;
  return Larger(cost, finding);
}

Result<std::unique_ptr<ItemTask>> MakeCompareTask(const Item& item, const CompareTaskParts& parts) {
  const PairShape whole = ShapeOf(item, parts);
  Shift shift;
  if (parts.align) shift = TRY(FindShift(item, parts, whole));
  const Overlap overlap = OverlapOf(whole, shift, parts.crop_border);
  if (overlap.width < 1 || overlap.height < 1) {
    return Error{Stage::kCompute, Code::kConflict,
                 "it and its partner are shifted by " + std::to_string(shift.dx) + ", " +
                     std::to_string(shift.dy) + " pixels: nothing in common is left inside of --crop-border"};
  }
  std::unique_ptr<RowReader> partner = TRY(OpenPartner(item, parts));
  return std::unique_ptr<ItemTask>(
      std::make_unique<CompareTask>(item, parts, std::move(partner), whole, shift));
}

}  // namespace imgmill
