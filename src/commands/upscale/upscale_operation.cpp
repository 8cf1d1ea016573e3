// Names and recall of enlarged images, and the classical kernels.
#include "upscale_operation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/lenient_mark.h"
#include "base/try.h"
#include "commands/sidecar_actions.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/output_names.h"
#include "imgmill/image/reduced_rows.h"

namespace imgmill {
namespace {

constexpr int64_t kRowsPerBand = 64;
constexpr double kDefaultScale = 2;

struct UpscalePayload final : Payload {
  std::vector<std::string> edited;  ///< copies of side-cars that were left as somebody has changed them
};

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
  return "upscale/1 " + options.method + " x" + scale + (options.crop ? " cropped " : " ") +
         options.file.Text() + " " + ImageLibraryVersions();
}

}  // namespace

UpscaleOperation::UpscaleOperation(const UpscaleOptions& options, std::string fingerprint,
                                   const CommandServices& services)
    // What was made of the readable part of a broken file is no result where such files are refused.
    : Operation({.name = "upscale",
                 .fingerprint = std::move(fingerprint.append(LenientMark(services.shared->allow_truncated))),
                 .takes_broken = services.shared->allow_truncated}),
      options_(options),
      services_(services),
      folder_(options.output, traits().fingerprint, *services.catalog, services.shared->force),
      sidecars_(options.sidecars, folder_),
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
  Result<bool> finished = folder_.Finished(WithoutSidecars(item), relative);
  if (!finished || !*finished) return finished;
  if (mode_ != RunMode::kRun) {
    finished = sidecars_.AreThere(item, relative);
    if (!finished || !*finished) return finished;
  }
  outcome.state = Outcome::State::kSkipped;
  outcome.outputs = {relative};
  if (mode_ == RunMode::kRun) {
    TRY(CopySidecars(item, relative, outcome));
  } else {
    AddSidecars(item, relative, outcome);
  }
  return true;
}

std::vector<std::string> UpscaleOperation::FindSidecars(const ListedFile& file) {
  std::vector<std::string> paths;
  for (Sidecar& sidecar : sidecars_.finder().Of(file.path)) paths.push_back(std::move(sidecar.path));
  return paths;
}

Result<std::unique_ptr<ImageOutput>> UpscaleOperation::CreateOutput(const Item& item,
                                                                    const std::string& relative,
                                                                    const Layout& layout) {
  TRY(sidecars_.MayCopy(item, relative));
  return ImageOutput::Create(folder_, item, relative, layout, Writing());
}

Status UpscaleOperation::Commit(ImageOutput& output, const Item& item, const std::string& relative,
                                Outcome& outcome) {
  TRY(output.Commit(WithoutSidecars(item)));
  outcome.outputs = {relative};
  output.AppendNotes(outcome.notes);
  return CopySidecars(item, relative, outcome);
}

Status UpscaleOperation::CopySidecars(const Item& item, const std::string& relative, Outcome& outcome) {
  if (item.sidecars.empty()) return {};
  auto payload = std::make_unique<UpscalePayload>();
  TRY(sidecars_.Copy(item, relative, payload->edited));
  AddSidecars(item, relative, outcome);
  outcome.payload = std::move(payload);
  return {};
}

void UpscaleOperation::AddSidecars(const Item& item, const std::string& relative, Outcome& outcome) {
  for (std::string& name : CopiedSidecars::NamesOf(item, relative))
    outcome.outputs.push_back(std::move(name));
}

void UpscaleOperation::TellEdited(const ListedFile& file, const std::vector<std::string>& edited) const {
  for (const std::string& name : edited) {
    services_.log(LogLevel::kWarning,
                  PrintablePath(file.path) + ": " + PrintablePath(folder_.PlaceOf(name)) +
                      " was changed since the side-car was copied there, and left so (delete it to have it "
                      "copied again)");
  }
}

void UpscaleOperation::TellSidecars(const RunCounts& counts) const {
  if (!counts.interrupted) WarnOfUnmatched(services_, sidecars_.finder());
}

Result<Prospect> UpscaleOperation::Rehearse(const Item& item) {
  const std::string name = OutputName(item.file);
  TRY(folder_.MayMakeFolder(name));
  TRY(folder_.MayWrite(item, name));
  TRY(sidecars_.MayCopy(item, name));
  if (!in_pipeline_) return Prospect();
  foreseen_.Add(name);
  for (const std::string& copy : CopiedSidecars::NamesOf(item, name)) foreseen_.Add(copy);
  return Prospect();
}

void UpscaleOperation::Collect(Outcome& outcome) {
  if (mode_ != RunMode::kRun && outcome.state == Outcome::State::kDone) {
    preview_.Add(outcome);
    return;
  }
  if (outcome.payload != nullptr)
    TellEdited(outcome.file, static_cast<const UpscalePayload&>(*outcome.payload).edited);
  if (!outcome.outputs.empty()) {
    const std::string& relative = outcome.outputs.front();  // behind it are its side-cars
    ListedFile file;
    file.index = written_.size();
    file.path = folder_.PlaceOf(relative);
    file.relative = relative;
    written_.Add(file);
  }
}

class ResizeOperation::Task final : public ItemTask {
 public:
  Task(ResizeOperation& operation, const Item& item, std::string relative,
       std::unique_ptr<ImageOutput> output)
      : operation_(operation), item_(item), relative_(std::move(relative)), output_(std::move(output)) {}

  Status Map(const Region& region) override { return output_->Write(region.view); }

  Status Finish(Outcome& outcome) override { return operation_.Commit(*output_, item_, relative_, outcome); }

 private:
  ResizeOperation& operation_;
  const Item& item_;
  std::string relative_;
  std::unique_ptr<ImageOutput> output_;
};

ResizeOperation::ResizeOperation(const UpscaleOptions& options, const CommandServices& services)
    : UpscaleOperation(options, ClassicalFingerprint(options), services) {}

Result<ItemPlan> ResizeOperation::Plan(const Item& item) const {
  const double scale = ClassicalScale(options());
  ItemPlan plan(item.main.header, Reading(), {kRowsPerBand, 0});
  for (int64_t* side : {&plan.input.width, &plan.input.height})
    *side = options().crop ? ReducedSide(*side, options().Divisor()) : ResizedSide(*side, scale);
  plan.decode = ResizeFootprint(item.main.header, plan.reading, plan.input.width, plan.input.height);
  plan.own_reader = true;
  const Layout output = plan.input;  // the reader enlarges: its rows are the output's
  return WithOutput(std::move(plan), output);
}

Result<std::unique_ptr<RowReader>> ResizeOperation::Open(const Item& item, const ItemPlan& plan) const {
  if (options().crop)
    return OpenReducedRows(item.main.path, item.main.header, plan.reading, options().Divisor(),
                           options().method);
  return OpenResizedRows(item.main.path, item.main.header, plan.reading, ClassicalScale(options()),
                         options().method);
}

Result<std::unique_ptr<ItemTask>> ResizeOperation::Start(const Item& item, const ItemPlan& plan) {
  std::string relative = OutputName(item.file);
  std::unique_ptr<ImageOutput> output = TRY(CreateOutput(item, relative, plan.input));
  return std::unique_ptr<ItemTask>(
      std::make_unique<Task>(*this, item, std::move(relative), std::move(output)));
}

}  // namespace imgmill
