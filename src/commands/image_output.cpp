// Writing one image to its published place.
#include "image_output.h"

#include "base/try.h"

namespace imgmill {

Result<std::unique_ptr<ImageOutput>> ImageOutput::Create(OutputFolder& folder, const Item& item,
                                                         std::string relative, const Layout& layout,
                                                         const WriteOptions& options) {
  std::string temporary = TRY(folder.Begin(item, relative));
  std::unique_ptr<ImageOutput> output(new ImageOutput(folder, std::move(relative), std::move(temporary)));
  std::unique_ptr<RowWriter> writer =
      TRY(CreateRows(output->temporary_.path(), layout, options, item.file.path));
  output->writer_ = std::move(writer);
  return output;
}

Status ImageOutput::Commit(const Item& item) {
  TRY(writer_->Finish());
  notes_ = writer_->notes();
  writer_.reset();
  TRY(folder_.Commit(item, relative_, temporary_.path()));
  temporary_.Release();
  return {};
}

}  // namespace imgmill
