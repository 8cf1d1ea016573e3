// GIF by libvips, which gives the frames one below the other, drawn by libnsgif as the rows are asked for.
// libnsgif never says that data is missing, so each frame's is gone through before.
#include <algorithm>
#include <string>

#include "animation.h"
#include "base/try.h"
#include "colour.h"
#include "gif_walk.h"
#include "patched_source.h"
#include "vips_rows.h"

namespace imgmill {
namespace {

/// Rows of frames `first` to `first + count`, in one image.
MadePipeline FramesThroughVips(const std::string& path, const ImageHeader& header, int first, int count,
                               bool lenient) {
  MadePipeline made;
  const Result<InputFile> file = InputFile::Open(path, Stage::kDecode);
  if (!file) return {std::nullopt, file.error()};
  const GRef<VipsSource> source = file->plain()
                                      ? GRef<VipsSource>(vips_source_new_from_descriptor(file->descriptor()))
                                      : PatchedSource(*file, {});
  ImageRef stored;
  if (!source || vips_gifload_source(source.get(), stored.out(), "page", first, "n", count, "access",
                                     VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                     lenient ? VIPS_FAIL_ON_NONE : VIPS_FAIL_ON_ERROR, nullptr) != 0) {
    return made;
  }
  const ColourPlan plan = PlanColour(stored.get());
  if (stored.get()->Xsize != header.width || stored.get()->Ysize != header.height * count ||
      plan.bands() != header.bands || plan.sample != header.sample) {
    return {std::nullopt, FileChanged()};
  }
  VipsPipeline pipeline;
  pipeline.image = ConvertColour(stored.get(), plan, /*keep_profile=*/false, pipeline.notes);
  if (pipeline.image) made.pipeline = std::move(pipeline);
  return made;
}

/// A reader's next rows, as an image of their own.
class NextRows final : public RowReader {
 public:
  NextRows(RowReader& rows, int64_t height, int64_t& read)
      : rows_(rows), layout_(rows.layout()), read_(read) {
    layout_.height = height;
  }
  const Layout& layout() const override { return layout_; }
  const std::vector<std::string>& notes() const override { return rows_.notes(); }
  Status Read(int64_t rows, uint8_t* destination, size_t stride) override {
    read_ += rows;
    return rows_.Read(rows, destination, stride);
  }

 private:
  RowReader& rows_;
  Layout layout_;
  int64_t& read_;
};

class GifAnimation final : public Animation {
 public:
  GifAnimation(const std::string& path, const ImageHeader& header, InputFile file)
      : path_(path), header_(header), file_(std::move(file)), walk_(file_) {}

  Result<std::optional<double>> Next() override {
    const std::optional<GifImage> image = lost_ ? std::nullopt : walk_.NextImage();
    ++number_;
    if (!image) {
      // Bytes behind the last frame that begin no block are nobody's business, unless more frames are known
      // of.
      const bool known = number_ < header_.frames;
      const bool over =
          walk_.end() == GifWalk::End::kMark || (walk_.end() == GifWalk::End::kStranger && !known);
      if (lost_ ? !known : over) return std::optional<double>();
      lost_ = true;
      return Error{Stage::kDecode, Code::kTruncated, "GIF data ends before it"};
    }
    const std::optional<Error> missing = walk_.ReadData(*image, GifWalk::Strict::kYes);
    lost_ = missing.has_value();
    if (lost_ && number_ > 0) return *missing;  // of the first frame its own reader says it
    if (number_ >= header_.frames) return std::optional<double>();  // one that shows nothing
    return std::optional(image->hundredths / 100.0);
  }

  Result<std::unique_ptr<RowReader>> Rows(const ReadOptions&) override {
    TRY(GoToFrame());
    return std::unique_ptr<RowReader>(std::make_unique<NextRows>(*rows_, header_.height, read_));
  }

 private:
  /// libvips' images are no higher than VIPS_MAX_COORD: an animation that is comes in several.
  Status GoToFrame() {
    if (!rows_ || number_ >= first_ + count_) {
      const auto most = static_cast<int>(std::max<int64_t>(1, VIPS_MAX_COORD / header_.height));
      first_ = number_;
      count_ = std::min(most, header_.frames - number_);
      read_ = 0;
      rows_.reset();
      std::unique_ptr<RowReader> rows = TRY(OpenVipsRows(
          [path = path_, header = header_, first = first_, count = count_](bool lenient) {
            return FramesThroughVips(path, header, first, count, lenient);
          },
          /*allow_truncated=*/false));
      rows_ = std::move(rows);
    }
    // Frames that nobody wanted, and the rest of one that was left.
    const size_t row_bytes = rows_->layout().row_bytes();
    Buffer row(row_bytes);
    for (const int64_t begin = (number_ - first_) * header_.height; read_ < begin; ++read_) {
      TRY(rows_->Read(1, row.data(), row_bytes));
    }
    return {};
  }

  const std::string path_;
  const ImageHeader header_;
  const InputFile file_;
  GifWalk walk_;
  int number_ = -1;
  bool lost_ = false;                ///< the walk cannot go on
  std::unique_ptr<RowReader> rows_;  ///< of frames first_ to first_ + count_
  int first_ = 0;
  int count_ = 0;
  int64_t read_ = 0;  ///< rows of these
};

}  // namespace

OpenedAnimation OpenGifAnimation(const std::string& path, const ImageHeader& header) {
  InputFile file = TRY(InputFile::Open(path, Stage::kDecode));
  return std::unique_ptr<Animation>(std::make_unique<GifAnimation>(path, header, std::move(file)));
}

Footprint GifAnimationFootprint(const ImageHeader& header) {
  // What a frame is to restore when it is over is kept beside the canvas; and a row that is passed over.
  const auto row = static_cast<size_t>(header.width) * 4;
  constexpr size_t kTables = size_t{256} << 10;
  return {row, row * static_cast<size_t>(header.height) + kTables};
}

}  // namespace imgmill
