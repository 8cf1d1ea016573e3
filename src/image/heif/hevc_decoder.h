// libheif's decoder of HEVC, which HEIC files hold, with one of ours in its place: see hevc_decoder.cpp.
#pragma once

namespace imgmill {

/// Makes libheif decode HEVC by our plug-in from now on. To be called once, when libvips' HEIF module is
/// loaded. Does nothing where libheif or libde265 is not installed: then no HEIC is read, or by libheif's own
/// decoder.
void RegisterHevcDecoder();

}  // namespace imgmill
