package xfs

func (f *FS) isDirty() (bool, string) { return false, "" }
