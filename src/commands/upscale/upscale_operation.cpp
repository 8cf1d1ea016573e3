// Names and recall of enlarged images, and the classical kernels.
#include "upscale_operation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/try.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/output_names.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerBand = 64;
constexpr double kDefaultScale = 2;

/// As OpenResizedRows rounds; it reports what it gives, and the writer refuses a difference.
int64_t ResizedSide(int64_t side, double scale) {
  return std::max<int64_t>(1, std::llround(static_cast<double>(side) * scale));
}

double ClassicalScale(const UpscaleOptions& options) {
  return options.scale > 0 ? options.scale : kDefaultScale;
}

std::string ClassicalFingerprint(const UpscaleOptions& options) {
  char scale[32];
  std::snprintf(scale, sizeof scale, "%.17g", ClassicalScale(options));
  return "upscale/1 " + options.method + " x" + scale + " " + options.file.Text() + " " +
         ImageLibraryVersions();
}

}  // namespace

UpscaleOperation::UpscaleOperation(const UpscaleOptions& options, std::string fingerprint,
                                   const CommandServices& services)
    // What was made of the readable part of a broken file is no result where such files are refused.
    : Operation({"upscale", std::move(fingerprint) + (services.shared->allow_truncated ? " lenient" : "")}),
      options_(options),
      folder_(options.output, traits().fingerprint, *services.catalog, services.shared->force),
      allow_truncated_(services.shared->allow_truncated),
      mode_(services.shared->mode),
      in_pipeline_(services.in_pipeline) {}

ReadOptions UpscaleOperation::Reading() const {
  ReadOptions reading;
  reading.keep_profile = true;  // the writer attaches it again
  reading.allow_truncated = allow_truncated_;
  return reading;
}

WriteOptions UpscaleOperation::Writing() const {
  return options_.file.Writing();
}

Result<ItemPlan> UpscaleOperation::WithOutput(ItemPlan plan, const Layout& output) const {
  TRY(FitsFormat(output, Writing().format));
  plan.work = plan.work + WriteFootprint(output, Writing());
  return plan;
}

std::string UpscaleOperation::OutputName(const ListedFile& file) const {
  return OutputNameFor(file, Extension(Writing().format));
}

Result<bool> UpscaleOperation::Recall(const Item& item, Outcome& outcome) {
  const std::string relative = OutputName(item.file);
  Result<bool> finished = folder_.Finished(item, relative);
  if (!finished || !*finished) return finished;
  outcome.state = Outcome::State::kSkipped;
  outcome.outputs = {relative};
  return true;
}

Result<Prospect> UpscaleOperation::Rehearse(const Item& item) {
  const std::string name = OutputName(item.file);
  TRY(folder_.MayMakeFolder(name));
  TRY(folder_.MayWrite(item, name));
  if (in_pipeline_) foreseen_.Add(name);
  return Prospect();
}

void UpscaleOperation::Collect(Outcome& outcome) {
  if (mode_ != RunMode::kRun && outcome.state == Outcome::State::kDone) {
    preview_.Add(outcome);
    return;
  }
  for (const std::string& relative : outcome.outputs) {
    ListedFile file;
    file.index = written_.size();
    file.path = folder_.PathOf(relative);
    file.relative = relative;
    written_.Add(file);
  }
}

class ResizeOperation::Task final : public ItemTask {
 public:
  Task(const Item& item, std::string relative, std::unique_ptr<ImageOutput> output)
      : item_(item), relative_(std::move(relative)), output_(std::move(output)) {}

  Status Map(const Region& region) override { return output_->Write(region.view); }

  Status Finish(Outcome& outcome) override {
    TRY(output_->Commit(item_));
    outcome.outputs = {relative_};
    output_->AppendNotes(outcome.notes);
    return {};
  }

 private:
  const Item& item_;
  std::string relative_;
  std::unique_ptr<ImageOutput> output_;
};

ResizeOperation::ResizeOperation(const UpscaleOptions& options, const CommandServices& services)
    : UpscaleOperation(options, ClassicalFingerprint(options), services) {}

Result<ItemPlan> ResizeOperation::Plan(const Item& item) const {
  const double scale = ClassicalScale(options());
  ItemPlan plan(item.main.header, Reading(), {kRowsPerBand, 0});
  plan.input.width = ResizedSide(plan.input.width, scale);
  plan.input.height = ResizedSide(plan.input.height, scale);
  plan.decode = ResizeFootprint(item.main.header, plan.reading, scale);
  plan.own_reader = true;
  const Layout output = plan.input;  // the reader enlarges: its rows are the output's
  return WithOutput(std::move(plan), output);
}

Result<std::unique_ptr<RowReader>> ResizeOperation::Open(const Item& item, const ItemPlan& plan) const {
  return OpenResizedRows(item.main.path, item.main.header, plan.reading, ClassicalScale(options()),
                         options().method);
}

Result<std::unique_ptr<ItemTask>> ResizeOperation::Start(const Item& item, const ItemPlan& plan) {
  std::string relative = OutputName(item.file);
  std::unique_ptr<ImageOutput> output =
      TRY(ImageOutput::Create(folder(), item, relative, plan.input, Writing()));
  return std::unique_ptr<ItemTask>(std::make_unique<Task>(item, std::move(relative), std::move(output)));
}

}  // namespace imgmill
