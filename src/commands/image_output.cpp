// Writing one image to its published place.
#include "image_output.h"

namespace imgmill {

Result<std::unique_ptr<ImageOutput>> ImageOutput::Create(OutputFolder& folder, const Item& item,
                                                         std::string relative, const Layout& layout,
                                                         const WriteOptions& options) {
  Result<std::string> temporary = folder.Begin(item, relative);
  if (!temporary) return temporary.error();
  std::unique_ptr<ImageOutput> output(new ImageOutput(folder, std::move(relative), *std::move(temporary)));
  Result<std::unique_ptr<RowWriter>> writer =
      CreateRows(output->temporary_.path(), layout, options, item.file.path);
  if (!writer) return writer.error();
  output->writer_ = *std::move(writer);
  return output;
}

Status ImageOutput::Commit(const Item& item) {
  if (Status finished = writer_->Finish(); !finished) return finished;
  notes_ = writer_->notes();
  writer_.reset();
  if (Status committed = folder_.Commit(item, relative_, temporary_.path()); !committed) return committed;
  temporary_.Release();
  return {};
}

}  // namespace imgmill
